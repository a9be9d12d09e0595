// What would stop a start half-way, or lose a database its server, refused before the first change.

import type { Ahead, Recreation } from './facts.js'
import { StepbackError } from './failure.js'

export function ensureStartable(target: string, ahead: Ahead | undefined): void {
  if (!ahead) return
  if (ahead.absentImages.length > 0) {
    throw new StepbackError({
      type: 'Refused',
      message: `images that no service builds are not on the host of target "${target}": ${ahead.absentImages.join(', ')}`,
      hint: `run \`${ahead.absentImages.map((image) => `docker pull ${image}`).join(' && ')}\` on the host; a run itself never pulls.`,
    })
  }
  if (ahead.recreation) ensureSameServer(target, ahead.recreation)
}

/** A server does not read the data of another major version; one that cannot be told is not tried on them. */
function ensureSameServer(target: string, { service, before, after, majors }: Recreation): void {
  if (after.id === null) {
    throw new StepbackError({
      type: 'Refused',
      message: `image "${after.ref}" of database service "${service}" is not on the host of target "${target}"`,
      hint: `run \`docker pull ${after.ref}\` on the host; a run itself never pulls.`,
    })
  }
  if (!majors || (majors.before !== null && majors.before === majors.after)) return
  const unknown = majors.before === null ? before.ref : majors.after === null ? after.ref : null
  throw new StepbackError({
    type: 'Refused',
    message:
      unknown === null
        ? `service "${service}" of target "${target}" runs PostgreSQL ${majors.before}, and image "${after.ref}" holds ${majors.after}: it would not read the data`
        : `nobody can tell which PostgreSQL "${unknown}" of service "${service}" is, and another major version would not read the data`,
    hint: 'keep the image of the database service as it is; bring the data to another major version by hand, with pg_upgrade or a dump.',
  })
}
