// Runs that meet: who waits, who goes first, and who pays for whom. Told in order on one sandbox.

import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { ledgerEntries } from '../../chaos/chain.js'
import { breakIt, mend, openSession } from '../../sandbox/index.js'
import { restartDatabase, untilJobRuns } from './faults.js'
import { leftovers, stateDirectory } from './leftovers.js'
import type { Ended, Operator } from './operator.js'
import { quickSandbox, remove } from './quick-sandbox.js'
import { deploysAsThePageSays, goesByHand, plansAsThePageSays, started } from './runbook.js'
import { Runs } from './runs.js'
import { Typist } from './typist.js'
import { goesBackByItself } from './watched.js'

describe.skipIf(!process.env['STEPBACK_END_TO_END'])('a run that is interrupted', { timeout: 300_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'stepback-precedence-'))
  let operator: Operator
  let runs: Runs
  let typist: Typist

  beforeAll(async () => {
    operator = await quickSandbox(root, { healthyWithin: '20s' })
    runs = await Runs.on(operator)
    typist = new Typist(operator, 'precedence')
  }, 300_000)

  afterAll(() => remove(root, operator), 120_000)

  test('is not there yet: the first deploy goes as its page says', async () => {
    await deploysAsThePageSays({ operator, typist })
    expect(await leftovers(operator)).toBe('')
  })

  test('by nobody keeps others out: two deploys at once go one behind the other', async () => {
    await runs.deploy('deploy-one', '2.1.0')
    await operator.until('deploy-one', ({ phase }) => phase === 'running')
    await runs.deploy('deploy-two', '2.1.1')
    await Promise.all([operator.end('deploy-one'), operator.end('deploy-two')])
    await runs.ends('deploy-one', 'done')
    await runs.ends('deploy-two', 'done')
    const workflows = ledgerEntries(stateDirectory(operator)).map(({ entry }) => entry.run.workflowId)
    const mine = workflows.filter((run) => run === 'deploy-one' || run === 'deploy-two')
    expect(mine.filter((run, index) => run !== mine[index - 1])).toHaveLength(2)
  })

  test('and that others wait for makes the plan that the runbook says, each command as it is typed there', async () => {
    await plansAsThePageSays({ operator, typist })
  })

  test('by nobody else is made good by the guard alone: a release that crashes goes back, once', async () => {
    await goesBackByItself(operator, typist, root)
    expect(await leftovers(operator)).toBe('')
  })

  test('and done by hand, with what the runbook has for that, is put right by the script on the host', async () => {
    await goesByHand({ operator, typist })
    expect(await leftovers(operator)).toBe('')
  })

  test('by a rollback is undone and hands over', async () => {
    await runs.deploy('deploy-pre-empted', '2.2.0-broken')
    await untilJobRuns(operator, 'deploy-pre-empted', 'buildImages.do.1.build')
    const typing = typist.begin('stepback rollback aria --secrets restore')
    expect(await operator.end('deploy-pre-empted')).toMatchObject({ outcome: 'Undone', result: { cancelled: true } })
    await runs.ends(await typing.run(), 'done')
    expect((await typing.ended).code).toBe(0)
  })

  test('by a rollback while it waits at a gate is fenced, and the rollback pays its debt', async () => {
    await breakIt({ root, kind: 'unhealthy', version: '2.2.0-broken' })
    await runs.deploy('deploy-at-gate', '2.2.0-broken', { mayLoseRows: 0 })
    await untilJobRuns(operator, 'deploy-at-gate', 'buildImages.do.1.build')
    await operator.api('/api/messages', { method: 'POST', body: JSON.stringify({ content: 'written since' }) })
    await operator.until('deploy-at-gate', ({ phase }) => phase === 'waiting-for-operator')
    const run = 'rollback-aria-now'
    await typist.says(started('rollbackWorkflow', run, '"reason": "…"'))
    const watching = typist.begin('stepback watch <run>', { run })
    // What it loses itself, and then what paying the debt loses: the same row, each with the digest of its plan.
    const asked = await operator.until(run, ({ phase }) => phase === 'waiting-for-approval')
    await typist.says(answered('update execute', 'approve', '"digest":"3fa94c21"'), asked.plan!)
    await operator.until(run, ({ phase }) => phase === 'waiting-for-operator')
    await typist.says('stepback resolve <run> --action retry', { run })
    await operator.until(run, ({ phase }) => phase === 'waiting-for-operator')
    await typist.says(answered('update execute', 'resolve', '"action":"retry"'))
    const again = await operator.until(run, ({ phase }) => phase === 'waiting-for-operator')
    await typist.says(answered('signal', 'approve', '"digest":"3fa94c21"'), again.plan!)
    expect(await operator.end('deploy-at-gate')).toMatchObject({ outcome: 'Fenced' })
    await runs.ends(run, 'done')
    expect((await watching.ended).code).toBe(0)
    const closed = ledgerEntries(stateDirectory(operator)).filter(({ entry }) => entry.kind === 'debt-closed')
    expect(closed.at(-1)!.entry).toMatchObject({ run: { workflowId: 'deploy-at-gate' }, how: 'undone' })
  })

  const answered = (how: string, name: string, what: string) =>
    `temporal workflow ${how} --workflow-id rollback-aria-now --name ${name} --input '{"by":"ada",${what}}'`

  /** As the runbook says it. */
  const emergency = async (procedure: string, run?: string, more = '') => {
    const input = `"procedure":"${procedure}","reason": "…"${more}`
    const typing = typist.begin(
      run ? started('emergencyWorkflow', run, input) : `stepback emergency aria ${procedure} --reason "…"`,
    )
    const name = await typing.run()
    await typing.ended
    return await operator.end(name)
  }
  const detailOf = ({ result }: Ended, name: string) => result.steps.find((it) => it.name === name)?.detail
  const docker = async (...words: string[]) => {
    const { env } = (await openSession(root))!
    return (await promisify(execFile)('docker', words, { env })).stdout.trim()
  }

  test('by an emergency is fenced at once; what was stopped is started again, and the next run pays the debt', async () => {
    const point = (await operator.points()).find(({ state }) => state === 'proven' || state === 'warm')!
    await runs.rollback('rollback-cut', { scope: 'database', strategy: 'restore', to: point.id })
    await untilJobRuns(operator, 'rollback-cut', 'restoreDatabase.do.1.restore')
    expect(await emergency('stop', 'emergency-aria-now')).toMatchObject({ outcome: 'done' })
    await expect(operator.api('/health')).rejects.toThrow()
    // Started by hand, with the label that Compose gave its image.
    await docker('run', '--detach', '--rm', '--network', 'none', '--entrypoint', 'sleep', 'aria-api:backup', '300')
    expect(await operator.end('rollback-cut')).toMatchObject({
      outcome: 'Fenced',
      message: expect.stringContaining("held by emergency 'emergency-aria-now'"),
    })
    const stopped = [await emergency('stop'), await emergency('unresponsive')]
    stopped.push(await emergency('unresponsive', 'emergency-aria-silent', ',"severity":"failure"'))
    expect(stopped.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done'])
    const { result } = await emergency('start')
    expect(result.health.filter((it) => !it.healthy)).toEqual([])
    expect(await emergency('start', 'emergency-aria-start')).toMatchObject({
      outcome: 'done',
      result: { already: true },
    })
    const entries = ledgerEntries(stateDirectory(operator)).map(({ entry }) => entry)
    const stop = { kind: 'stopped', ran: ['aria-api', 'aria-brain', 'aria-web'] }
    expect(entries.filter(({ kind }) => kind === 'stopped' || kind === 'started')).toMatchObject([
      stop,
      stop,
      stop,
      { kind: 'started' },
    ])
    await typist.says('stepback restore-points aria take')
    const [taken] = await operator.points()
    await typist.says('stepback restore-points aria prove <id> --reason "…"', taken)
    await typist.says('stepback memories aria archive')
    expect(await leftovers(operator)).toBe('')
  })

  const approvedAtGate = async (run: string) => {
    const { plan } = await operator.until(run, ({ phase }) => phase === 'waiting-for-approval')
    await typist.says('stepback approve <run> --digest 3fa94c21', { run, digest: plan!.digest })
    return { plan: plan!, ended: await operator.end(run) }
  }

  test('rows written since come along into the database of then, and what stays is listed in a file', async () => {
    const [point] = await operator.points()
    const history = `insert into scheduler_history (job_id, started_at, status)
      select id, now(), 'success' from scheduler_jobs limit 1`
    const contents = () =>
      operator.query(
        `select content, count(*)::int as n from messages where content like 'since:%' group by 1 order by 1`,
      )
    await operator.api('/api/messages', { method: 'POST', body: JSON.stringify({ content: 'since: new', count: 3 }) })
    await operator.query(`do $$ declare old messages; begin
      select * into old from messages order by id limit 1; delete from messages where id = old.id;
      old.content := 'since: under an old key'; insert into messages select old.*; end $$`)
    await operator.query(history)
    const carried = [{ content: 'since: new', n: 3 }]
    expect(await contents()).toEqual([...carried, { content: 'since: under an old key', n: 1 }])

    await runs.rollback('rollback-carrying', {
      scope: 'database',
      to: point!.id,
      strategy: 'swap',
      carryForward: 'all',
    })
    const carrying = await approvedAtGate('rollback-carrying')
    expect(carrying.plan.notes).toEqual(
      expect.arrayContaining([expect.stringContaining('messages: 3 carried, 1 conflicting, 0 not fitting (exact)')]),
    )
    expect(carrying.ended.outcome).toBe('done')
    expect(await contents()).toEqual(carried)
    const kept = carrying.ended.result.restorePoint
    const left = readFileSync(join(operator.sandbox.backups, `left_${kept}.jsonl`), 'utf8')
      .trim()
      .split('\n')
    expect(left).toEqual([expect.stringContaining('since: under an old key')])

    // Its undo brings back what stayed behind, and the undo of that is the database with what was carried.
    await runs.rollback('rollback-of-carrying', { scope: 'database', to: kept })
    const undone = await endedAfterAll('rollback-of-carrying')
    expect(undone).toMatchObject({ outcome: 'done', result: { plan: { strategy: 'swap' } } })
    expect(await contents()).toEqual([...carried, { content: 'since: under an old key', n: 1 }])
    await runs.rollback('rollback-of-that', { scope: 'database', to: undone.result.restorePoint })
    expect(await endedAfterAll('rollback-of-that')).toMatchObject({
      outcome: 'done',
      result: { plan: { strategy: 'swap' } },
    })
    expect(await contents()).toEqual(carried)
  })

  /** Whether rows are lost with it or not. */
  const endedAfterAll = async (run: string) => {
    const { phase } = await operator.until(run, (it) => it.phase === 'waiting-for-approval' || it.finishedAt !== null)
    return phase === 'waiting-for-approval' ? (await approvedAtGate(run)).ended : await operator.end(run)
  }

  test('a database with a damaged page makes way for the newest proven restore point, and is kept', async () => {
    const count = () => operator.query<{ n: string }>('select count(content) as n from messages')
    const [found] = await operator.query<{ path: string }>(`select pg_relation_filepath('messages') as path`)
    const container = await docker('ps', '--quiet', '--filter', 'label=com.docker.compose.service=aria-db')
    const damage = `dd if=/dev/urandom of="$PGDATA/$1" bs=8192 seek=1 count=2 conv=notrunc`
    await operator.query('checkpoint')
    await docker('exec', container, 'sh', '-c', damage, 'damage', found!.path)
    // What the server still has in its memory is whole.
    await restartDatabase(root)
    await expect.poll(() => count().catch(({ message }: Error) => message)).toMatch(/invalid page/)
    const { outcome, result } = await emergency('database-corruption', 'emergency-aria-database')
    expect(outcome).toBe('done')
    expect(result.health.filter((it) => !it.healthy)).toEqual([])
    expect(Number((await count())[0]!.n)).toBeGreaterThan(4_000)
    const kept = (await operator.points()).find(({ id }) => id === result.restorePoint)
    expect(kept).toMatchObject({ state: 'kept', pins: [{ reason: 'the damaged database, kept for study' }] })
    expect(await leftovers(operator)).toBe('')
  })

  test('memory that runs out comes back by a restart, and the smaller model is set where that is not enough', async () => {
    const config = parse(readFileSync(operator.sandbox.config, 'utf8')) as {
      readonly targets: { readonly aria: { readonly emergency: { readonly memory: { serviceBytes: number } } } }
    }
    config.targets.aria.emergency.memory.serviceBytes = 60_000_000
    writeFileSync(operator.sandbox.config, stringify(config))
    operator.replaceWorker()
    await breakIt({ root, kind: 'memory' })
    const container = await docker('ps', '--quiet', '--filter', 'label=com.docker.compose.service=ollama')
    const usage = () => docker('stats', '--no-stream', '--format', '{{.MemUsage}}', container)
    await expect.poll(usage, { timeout: 60_000 }).toMatch(/^[5-9]\d\d/)
    const ended = await emergency('out-of-memory')
    expect(ended.outcome).toBe('done')
    expect(detailOf(ended, 'measureMemory')).toMatch(/ollama uses [5-9]\d\d MB$/)
    expect(detailOf(ended, 'useSmallerModel')).toMatch(/^it uses \d\d MB, more than 60; now .* ollama uses \d\d MB$/)
    expect(readFileSync(join(operator.sandbox.directory, '.env'), 'utf8')).toContain('OLLAMA_MODEL=qwen3:14b\n')
    await mend({ root })
    expect(await emergency('out-of-memory', 'emergency-aria-memory')).toMatchObject({ outcome: 'done' })
  })

  test('a disk without a byte left is freed of what nobody needs, and of nothing else', async () => {
    const { backups } = operator.sandbox
    const { paths } = (await openSession(root))!
    const aside = join(root, 'aside')
    const volume = (name: string, project: string) =>
      docker(
        'volume',
        'create',
        '--label',
        `com.docker.compose.project=${project}`,
        '--label',
        `com.docker.compose.volume=${name}`,
        `${project}_${name}`,
      )
    await volume('orphan', paths.project)
    await volume('orphan', 'somebody')
    // As `docker compose run` leaves one, with a volume that only it has.
    await volume('of-a-run', paths.project)
    const label = (key: string, value: string) => ['--label', `com.docker.compose.${key}=${value}`]
    const labels = [...label('project', paths.project), ...label('oneoff', 'True')]
    const mount = ['--volume', `${paths.project}_of-a-run:/kept`]
    const own = ['service=aria-api', 'oneoff=False'].flatMap((it) => ['--filter', `label=com.docker.compose.${it}`])
    const image = await docker('ps', ...own, '--format', '{{.Image}}')
    await docker('run', '--name', 'a-run', ...labels, ...mount, '--entrypoint', 'true', image)
    for (const day of [1, 2, 3, 4, 5, 6]) writeFileSync(join(backups, `db_2025010${day}.sql`), 'select 1;\n')
    execFileSync('cp', ['-a', backups, aside])
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256m', 'tmpfs', backups])
    try {
      execFileSync('cp', ['-a', `${aside}/.`, backups])
      spawnSync('dd', ['if=/dev/zero', `of=${join(backups, 'filled')}`, 'bs=64k'])
      expect(() => writeFileSync(join(backups, 'more'), 'x'.repeat(9_000))).toThrow('ENOSPC')
      const before = await operator.points()
      const reserve = join(stateDirectory(operator), 'reserve')
      execFileSync('mv', [reserve, `${aside}/reserve`])
      spawnSync('dd', ['if=/dev/zero', `of=${join(backups, 'more')}`, 'bs=64k'])
      expect(await emergency('disk-full')).toMatchObject({
        outcome: 'Refused',
        message: expect.stringMatching(/no room for the lease in .*: 0 bytes are free, and no reserve is left/),
      })
      rmSync(join(backups, 'more'))
      execFileSync('mv', [`${aside}/reserve`, reserve])
      const ended = await emergency('disk-full')
      expect([ended.outcome, ended.message]).toEqual(['done', ''])
      expect(detailOf(ended, 'removeDumps')).toMatch(/^db_20250101\.sql/)
      expect(detailOf(ended, 'removeContainers')).toMatch(/^\d+ removed, \d+\.\d MB freed$/)
      expect(detailOf(ended, 'removeVolumes')).toMatch(/^1 removed, \d+\.\d MB freed$/)
      expect(detailOf(ended, 'pruneBuildCache')).toMatch(/^removed, \d+\.\d MB freed$/)
      const left = readdirSync(backups)
      expect(left).not.toContain('db_20250101.sql')
      expect(left).toContain('filled')
      const after = await operator.points()
      const proven = ({ state }: { readonly state: string }) => state === 'proven' || state === 'warm'
      expect(after.find(proven)).toEqual(before.find(proven))
      const volumes = (await docker('volume', 'ls', '--quiet')).split('\n')
      expect(volumes).not.toContain(`${paths.project}_orphan`)
      expect(volumes).toContain('somebody_orphan')
      expect(volumes).toContain(`${paths.project}_of-a-run`)
      expect(await docker('ps', '--all', '--quiet', '--filter', 'name=a-run')).toBe('')
      expect(volumes).toContain(`${paths.project}_aria_db_data`)
      expect(await leftovers(operator)).toBe('')
    } finally {
      execFileSync('umount', [backups])
    }
  })

  test('and every command of the runbook and of the deployment page was typed', () => {
    expect(typist.left).toEqual([])
  })
})
