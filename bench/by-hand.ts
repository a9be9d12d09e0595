// The procedure that operators of the reference stack follow by hand today, typed without a pause.

import { composeStack } from '../src/activities/context.js'
import { compose } from '../src/commands/compose.js'
import { pgDump, psql, withSql } from '../src/commands/database/programs.js'
import { quote } from '../src/commands/shell.js'
import type { Ground } from './ground.js'
import { untilHealthy } from './health-script.js'
import { databaseAccess } from './plain-script.js'

/** The plain dump that the procedure starts from, as the backup job of the stack writes it. */
export async function dumpByHand(ground: Ground): Promise<void> {
  const { target } = ground
  const file = quote(`${target.backups}/db_20261101_0200.sql`)
  await ground.shell(`umask 077\n${pgDump(databaseAccess(ground), target.database!.name, [])} </dev/null >${file}\n`)
}

/** The database is dropped first: loading a dump over its tables would leave a mixture. */
export function byHand(ground: Ground): string {
  const { target } = ground
  const stack = composeStack(target)
  const { name, service } = target.database!
  const access = databaseAccess(ground)
  const anew = `drop database "${name}" with (force);\ncreate database "${name}" owner "${access.psqlUser}";`
  return [
    'set -eu',
    `cd ${quote(target.directory)}`,
    `dump=$(ls -t ${quote(target.backups)}/db_*.sql | head -n 1)`,
    `file=$(ls -t ${quote(target.backups)}/docker-compose_*.yml | head -n 1)`,
    `${compose(stack, 'stop')} </dev/null`,
    `cp "$file" ${quote(stack.files[0]!)}`,
    `${compose(stack, 'up', '--detach', '--wait', service)} </dev/null`,
    withSql(psql(access, 'postgres'), anew),
    `${psql(access, name)} <"$dump" >/dev/null`,
    `${compose(stack, 'up', '--detach', '--wait')} </dev/null`,
    untilHealthy(target),
    '',
  ].join('\n')
}
