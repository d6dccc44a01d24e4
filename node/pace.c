#include "node/pace.h"

int64_t
pace_spent_ms(const struct pace_spent *spent, int64_t mono_ms)
{
	return spent->back_ms > mono_ms ? spent->back_ms - mono_ms : 0;
}

int64_t
pace_wait_ms(const struct pace_spent *spent, const struct pace *pace, int64_t mono_ms)
{
	int64_t over = pace_spent_ms(spent, mono_ms) - (pace->tries - 1) * pace->try_ms;

	return over > 0 ? over : 0;
}

int64_t
pace_left(const struct pace_spent *spent, const struct pace *pace, int64_t mono_ms)
{
	int64_t used = (pace_spent_ms(spent, mono_ms) + pace->try_ms - 1) / pace->try_ms;

	return used < pace->tries ? pace->tries - used : 0;
}

void
pace_spend(struct pace_spent *spent, const struct pace *pace, int64_t mono_ms)
{
	spent->back_ms = mono_ms + pace_spent_ms(spent, mono_ms) + pace->try_ms;
}
