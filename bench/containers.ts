// Containers back to the images of a restore point, next to what operators of the reference stack type.

import { composeStack } from '../src/activities/context.js'
import { compose } from '../src/commands/compose.js'
import { command, quote } from '../src/commands/shell.js'
import type { ServiceImage } from '../src/plan/act.js'
import { Ground, seconds } from './ground.js'
import { untilHealthy } from './health-script.js'
import { type Result, type Say, compare, inTurn, median } from './measurement.js'

/** The service that goes back alone. */
const service = 'aria-api'
const runs = 10
const goalSeconds = 10

export async function measureContainers(say: Say): Promise<readonly Result[]> {
  return await Ground.during(say, (ground) =>
    ground.withWorker(async () => {
      const to = await ground.deploy()
      const [then, now] = [ground.images(to), ground.images(await ground.deploy())]
      const hand = byHand(ground, to, then, now)
      const from = (work: () => Promise<unknown>) => async () => {
        await ground.shell(hand.anew)
        return await seconds(work)
      }
      const back = (services?: readonly string[]) =>
        ground.rollback({ to, scope: 'containers', ...(services ? { services } : {}) })
      const times = await inTurn(
        {
          one: from(() => back([service])),
          'one, by hand': from(() => ground.shell(hand.one)),
          all: from(() => back()),
          'all, by hand': from(() => ground.shell(hand.all)),
        },
        say,
        runs,
      )
      await ground.shell(hand.anew)
      const planning = await planningSeconds(() => ground.rollback({ to, scope: 'containers', dryRun: true }))
      return [
        row('containers-one', times.one, times['one, by hand'], `stop, tag and up of ${service}`, planning),
        row('containers-all', times.all, times['all, by hand'], 'stop, compose file, tags and up of all', planning),
      ]
    }),
  )
}

function row(name: string, ours: readonly number[], peer: readonly number[], words: string, planning: number): Result {
  return compare({
    name,
    unit: 's',
    ours,
    peer,
    against: `${words}, typed without a pause`,
    goal: `at most ${goalSeconds} s`,
    limit: () => goalSeconds,
    note: `from the request to the end of the run, with a restore point of files and images, and health; by hand takes neither restore point nor note, and both wait for the same health checks; ours looks and plans first, ${planning.toFixed(2)} s`,
  })
}

async function planningSeconds(plan: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let run = 0; run < 3; run++) times.push(await seconds(plan))
  return median(times)
}

/** What is typed, and what brings the state back from which every way starts. */
function byHand(ground: Ground, to: string, then: readonly ServiceImage[], now: readonly ServiceImage[]) {
  const { target, sandbox } = ground
  const stack = composeStack(target)
  const file = quote(`${target.directory}/${stack.files[0]!}`)
  const up = (...words: readonly string[]) => `${compose(stack, 'up', '--detach', ...words)} </dev/null`
  const others = now.map((it) => it.service).filter((it) => it !== target.database!.service)
  const tags = (images: readonly ServiceImage[], name: (image: ServiceImage) => string) =>
    images.filter((it) => others.includes(it.service)).map((it) => command('docker', 'tag', it.id, name(it)))
  const backup = (it: ServiceImage) => `${it.service}:backup`
  const takeBackup = (names: readonly string[]) =>
    then.filter((it) => names.includes(it.service)).map((it) => command('docker', 'tag', backup(it), it.ref))
  const lines = (...all: readonly string[]) => ['set -eu', ...all, untilHealthy(target), ''].join('\n')
  return {
    anew: lines(
      `cp ${quote(`${sandbox.releases['2.1.0']!}/${stack.files[0]!}`)} ${file}`,
      ...tags(now, (it) => it.ref),
      ...tags(then, backup),
      up('--no-deps', ...others),
    ),
    one: lines(`${compose(stack, 'stop', service)} </dev/null`, ...takeBackup([service]), up('--no-deps', service)),
    all: lines(
      `${compose(stack, 'stop', ...others)} </dev/null`,
      `cp ${quote(`${target.backups}/docker-compose_${to}.yml`)} ${file}`,
      ...takeBackup(others),
      up(),
    ),
  }
}
