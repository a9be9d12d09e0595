// The operators' pages, typed: what changes a target little is done, what else there is comes as far as its plan.

import { cpSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { dockerOf } from './faults.js'
import { underLease } from './leaves-the-group.js'
import type { Operator } from './operator.js'
import type { Fill, Typist } from './typist.js'

interface Typed {
  readonly operator: Operator
  readonly typist: Typist
}

/** A command of a page, and what its run has to show once it is planned. */
type Planned = readonly [command: string, shown: object, fill?: Fill]

/** Of nobody that a rollback would ask to hand over, so that whoever comes waits behind its plan. */
const busy = { kind: 'rollback', namespace: 'elsewhere' } as const

/** From the first look to a first deploy; behind it 2.0.1 runs. */
export async function deploysAsThePageSays({ operator, typist }: Typed): Promise<void> {
  const { code, text } = await typist.type('stepback emergency aria database-corruption --reason "…"')
  expect([code, text]).toEqual([3, expect.stringContaining('proven')])
  const releases = join(operator.sandbox.releases['2.0.0']!, '..')
  cpSync(join(releases, '2.0.0'), join(releases, '2.0.1'), { recursive: true })
  writeFileSync(join(releases, '2.0.1', 'VERSION'), '2.0.1\n')
  await typist.says('stepback deploy aria --version 2.0.1 --release ./releases/2.0.1 --hotfix --reason "…"')
  expect(await operator.api('/api/status')).toMatchObject({ version: '2.0.1' })

  const deploy = { kind: 'deploy', plan: { because: '2.0.0 replaces 2.0.1' } }
  const ofTemporal = started(
    'deployWorkflow',
    'deploy-aria-now',
    '"version":"2.0.0","release":"/releases/2.0.0","reason": "…"',
  )
  await underLease(
    operator.sandbox.config,
    async () => {
      await plans({ operator, typist }, [
        ['stepback deploy aria --version 2.0.0 --release ./releases/2.0.0 --reason "…"', deploy],
      ])
      await typist.says(ofTemporal)
      await operator.until('deploy-aria-now', ({ phase }) => phase === 'waiting-for-lease')
      expect(await typist.says('temporal workflow query --workflow-id deploy-aria-now --type progress')).toContain(
        'waiting-for-lease',
      )
      await typist.says('temporal workflow cancel --workflow-id deploy-aria-now')
      await operator.until('deploy-aria-now', ({ finishedAt }) => finishedAt !== null)
      const dry = await typist.says('stepback deploy aria --version 2.0.0 --release ./releases/2.0.0 --dry-run')
      expect(dry).toMatch(/files? of the release in place/)
    },
    busy,
  )
  expect(await typist.says('stepback report deploy-aria-now')).toContain('2.0.0')
}

/** Every rollback of the runbook at 2.1.1, over 2.1.0 and 2.0.0. */
export async function plansAsThePageSays({ operator, typist }: Typed): Promise<void> {
  const points = await operator.points()
  const of = (version: string) => points.find(({ id }) => id.endsWith(`-${version}`))!.id
  const to = (version: string, more: object = {}) => ({ plan: { restorePoint: of(version), ...more } })
  const database = { kind: 'rollback', scope: 'database' }
  const containers = { kind: 'rollback', scope: 'containers' }
  const config = { kind: 'rollback', scope: 'config', ...to('2.1.0') }
  const full = { kind: 'rollback', scope: 'full', ...to('2.1.0') }
  const migrates = { ...database, plan: { strategy: 'migrate' } }
  await underLease(
    operator.sandbox.config,
    async () => {
      await plans({ operator, typist }, [
        ['stepback rollback aria', full],
        ['stepback rollback aria --to 20261123T141530Z-2.1.0', full, { id: of('2.1.0') }],
        [
          'stepback rollback aria --strategy restore --severity failure',
          { ...full, ...to('2.1.0', { strategy: 'restore' }) },
        ],
        ['stepback rollback aria --carry-forward all', full],
        ['stepback rollback aria --scope database', { ...database, ...to('2.1.0') }],
        ['stepback rollback aria --scope database --to -1', migrates],
        [started('rollbackWorkflow', 'rollback-aria-database', '"scope":"database","to":"-1"'), migrates],
        ['stepback rollback aria --scope containers --services aria-api', { ...containers, ...to('2.1.0') }],
        [
          'stepback rollback aria --scope containers --services aria-api,aria-web --to 2.0.0',
          { ...containers, ...to('2.0.0') },
        ],
        ['stepback rollback aria --scope containers', { ...containers, ...to('2.1.0') }],
        [started('rollbackWorkflow', 'rollback-aria-api', '"scope":"containers","services":["aria-api"]'), containers],
        ['stepback rollback aria --scope config', config],
        [started('rollbackWorkflow', 'rollback-aria-config', '"scope":"config"'), config],
      ])
      await rejects({ operator, typist }, 'stepback rollback aria --scope database --to a005_scheduler_history')
      await looks({ operator, typist })
    },
    busy,
  )
}

/** What changes nothing. */
async function looks({ operator, typist }: Typed): Promise<void> {
  const says: readonly (readonly [string, RegExp, Fill?])[] = [
    ['stepback rollback aria --dry-run', /-2\.1\.0/],
    ['stepback rollback aria --scope database --to base --dry-run', /pheromone_scores/],
    ['stepback rollback aria --carry-forward all --dry-run', /-2\.1\.0/],
    ['stepback rollback aria --scope config --dry-run', /-2\.1\.0/],
    ['stepback emergency aria disk-full --reason "…" --dry-run', /measure the disk/],
    ['stepback emergency aria database-corruption --reason "…" --dry-run', /build the database|swap /],
    ['stepback migrations aria', /a007_add_engine_fields/],
    ['stepback restore-points aria', /-2\.0\.1/],
    ['stepback history aria', /rollback-aria-/],
    ['stepback status aria', /2\.1\.1/],
    ['stepback status', /2\.1\.1/],
    ['stepback doctor aria', /aria/],
    ['stepback report <run>', /deploy-two/, { run: 'deploy-two' }],
  ]
  await inTurns(says, async ([command, pattern, fill]) => expect(await typist.says(command, fill)).toMatch(pattern))
  await typist.says(
    started('rollbackWorkflow', 'rollback-aria-carrying', '"carryForward":["messages","sessions"],"dryRun":true'),
  )
  const disk = '"procedure":"disk-full","reason": "…","dryRun":true'
  await typist.says(started('emergencyWorkflow', 'emergency-aria-disk', disk))
  for (const run of ['rollback-aria-carrying', 'emergency-aria-disk'])
    expect(await operator.end(run)).toMatchObject({ outcome: 'done' })
}

/** The command line of a run, and its end by a cancel before it changes anything. */
async function plans({ operator, typist }: Typed, commands: readonly Planned[]): Promise<void> {
  await inTurns(commands, async ([command, shown, fill]) => {
    const typing = typist.begin(command, fill)
    const run = await typing.run()
    const waiting = await operator.until(run, ({ phase }) => phase === 'waiting-for-lease')
    expect([command, waiting]).toMatchObject([command, shown])
    await operator.temporal('workflow', 'cancel', '--workflow-id', run)
    await typing.ended
  })
}

async function rejects({ operator, typist }: Typed, command: string): Promise<void> {
  const typing = typist.begin(command)
  const run = await typing.run()
  await operator.until(run, ({ phase }) => phase === 'waiting-for-approval')
  await typist.says('stepback reject <run> --comment later', { run })
  expect(await typing.ended).toEqual({ code: 3, text: expect.stringContaining('later') })
}

/** By hand on the host, at 2.1.0 behind a rollback from 2.1.1; the script at its end puts all of it back. */
export async function goesByHand({ operator, typist }: Typed): Promise<void> {
  const { containerOf } = await dockerOf(dirname(operator.sandbox.config))
  const [point] = (await operator.points()).filter(({ id }) => id.endsWith('-2.1.0'))
  const { id } = point!
  const on = async (service: string) => ({ container: await containerOf(service) })
  await Promise.all([
    typist.says('docker ps --all'),
    typist.says('docker exec <container> pg_isready', await on('aria-db')),
    typist.says('docker logs --tail 100 <container>', await on('aria-brain')),
    typist.says('free -m'),
    typist.says('df -h . backups'),
    typist.says(`find backups -name 'db_*.sql*' -mtime +30`),
    typist.says(`find aria_memories/logs -name '*.log' -mtime +30 -delete`),
    // What else this engine holds is others' to prune.
    typist.type('docker image prune', {}, 'n\n'),
    typist.type('docker builder prune', {}, 'n\n'),
  ])
  await typist.says('docker restart <container>', await on('ollama'))
  await typist.says(up('ollama litellm'))

  await typist.says('docker compose --project-name aria stop --timeout 5 aria-brain aria-api aria-web')
  await expect(operator.api('/health')).rejects.toThrow()
  await typist.says(downOfA007)
  expect(await operator.revision()).toBe('a006_pheromone_scores')
  await typist.says('docker compose --project-name aria start aria-api aria-web aria-brain')

  await typist.says('cp backups/docker-compose_<id>.yml stacks/brain/docker-compose.yml', { id })
  await typist.says('cp backups/env_<id> .env', { id })
  await typist.says('tar -xzf backups/config_<id>.tar.gz ./models.yaml', { id })
  await typist.says(tagBackup)
  await typist.says(up('aria-api'))
  await typist.says(up('aria-brain aria-api aria-web litellm'))

  await typist.says('rm backups/.stepback/aria/reserve')
  expect(await typist.says('sh backups/restore_<id>.sh --dry-run', { id })).toContain('2.1.0')
  expect(await typist.says('sh backups/restore_<id>.sh', { id }, 'yes\n')).toMatch(/done: aria is at 2\.1\.0 again/)
  expect(await operator.api('/api/status')).toMatchObject({ version: '2.1.0', revision: 'a007_add_engine_fields' })
}

const downOfA007 = `docker compose --project-name aria exec -T aria-db psql --username aria --dbname aria_blue --single-transaction --command 'alter table messages drop column agent_id, drop column engine_version' --command "delete from migrations where name like 'a007%'"`
const tagBackup = `docker tag aria-api:backup "$(docker inspect --format '{{.Config.Image}}' $(docker ps --all --quiet --filter label=com.docker.compose.project=aria --filter label=com.docker.compose.service=aria-api))"`

function up(services: string): string {
  return `docker compose --project-name aria --project-directory . --file stacks/brain/docker-compose.yml --env-file .env up --detach --no-deps --no-build --pull never ${services}`
}

/** With the `temporal` CLI. */
export function started(type: string, run: string, more: string): string {
  const input = `{"target":"aria",${more}}`
  return `temporal workflow start --task-queue stepback --type ${type} --workflow-id ${run} --input '${input}'`
}

/** Some at a time: they wait more than they work. */
async function inTurns<T>(all: readonly T[], each: (it: T) => Promise<unknown>): Promise<void> {
  const left = [...all]
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await each(next)
  }
  await Promise.all(Array.from({ length: 5 }, worker))
}
