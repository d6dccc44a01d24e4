/* cli/cmd_doctor.c - what is wrong with this installation, and what to do. */
#include "cli/cmd.h"
#include "node/doctor.h"
#include "store/base/json.h"

struct visit {
	struct buf out;
	struct json json;
	bool as_json;
	int hints, ills;
};

static void
tell(void *ctx, const struct doctor_finding *f)
{
	struct visit *v = ctx;
	struct json *j = &v->json;

	v->hints += f->state == DOCTOR_HINT;
	v->ills += f->state == DOCTOR_ILL;
	if (!v->as_json) {
		buf_printf(&v->out, "%-6s  %-8s  %s%s%s\n", doctor_state_word(f->state), f->check,
		           f->what, f->todo[0] == 0 ? "" : "; ", f->todo);
		return;
	}
	json_object(j);
	json_name(j, "check");
	json_text(j, f->check);
	json_name(j, "state");
	json_text(j, doctor_state_word(f->state));
	json_name(j, "what");
	json_text(j, f->what);
	json_name(j, "do");
	json_text(j, f->todo);
	json_end_object(j);
}

static void
sum_up(struct visit *v)
{
	if (v->ills + v->hints == 0)
		buf_printf(&v->out, "all is well\n");
	else
		buf_printf(&v->out, "%d ill, %d hint%s\n", v->ills, v->hints,
		           v->hints == 1 ? "" : "s");
}

static int
run(struct cli *cli)
{
	struct visit v = { .as_json = cli->json };
	struct doctor d = { .dir = cli->dir,
		            .env = env_real(),
		            .mend = cli_option(cli, "fix") != NULL,
		            .tell = tell,
		            .ctx = &v };
	struct err err;
	int rc, code;

	v.json = json_to(&v.out);
	if (v.as_json)
		json_array(&v.json);
	rc = doctor_examine(&d, &err);
	if (v.as_json)
		json_end_array(&v.json);
	if (v.as_json)
		buf_u8(&v.out, '\n');
	else
		sum_up(&v);
	code = rc < 0 ? cli_fail(cli, &err) : cli_print(cli, &v.out);
	buf_free(&v.out);
	return code == CLI_OK && v.ills > 0 ? CLI_ATTENTION : code;
}

static const struct cmd_option options[] = {
	{ "fix", NULL,
	  "put right what is safe: permissions, the reserve, triggers, rows changed past them" },
	{ 0 },
};

const struct cmd cmd_doctor = {
	.name = "doctor",
	.args = "",
	.help = "look for what is wrong here and say what to do",
	.options = options,
	.json = true,
	.run = run,
};
