// The snippets of the hub's page that need DuckDB from packaging/npm, with all others: tests/e2e/snippets.sh.
import { spawnSync } from 'node:child_process';

const done = spawnSync('tests/e2e/snippets.sh', { env: { ...process.env, SNIPPETS: 'all' }, stdio: 'inherit' });
process.exit(done.status ?? 1);
