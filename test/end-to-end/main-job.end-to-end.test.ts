// The main job on a sandbox of its own, told in order: each test goes on where the one before it ended.

import { mkdtempSync, readFileSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseEnvFile } from '../../src/config/env-file.js'
import { findTarget, loadConfig } from '../../src/config/load.js'
import { down, up } from '../../sandbox/index.js'
import { sleepingSession, underLease } from './leaves-the-group.js'
import { composeFile } from '../../sandbox/config.js'
import { type Bad, badHosts, badReleases, badRequests, damaged, damages, everything, meet } from './refusals.js'
import { type Ended, Operator, processArguments } from './operator.js'
import { leftovers } from './leftovers.js'
import { seldomProbed } from './quick-sandbox.js'
import { WebUi, answerInBrowser } from './web-ui.js'

describe.skipIf(!process.env['STEPBACK_END_TO_END'])('the main job', { timeout: 300_000 }, () => {
  // A shell would read it as something else: every path of the sandbox lies below it.
  const root = mkdtempSync(join(tmpdir(), `it's $(id) größe-`))
  let operator: Operator
  let browser: Promise<WebUi>
  let rowsAtFirst: Record<string, string>
  const argumentsSeen: string[] = []
  const watching = setInterval(() => argumentsSeen.push(processArguments()), 250)

  beforeAll(async () => {
    operator = new Operator(await up({ root, ...seldomProbed }))
    rowsAtFirst = await operator.rows()
  }, 300_000)

  afterAll(async () => {
    clearInterval(watching)
    await browser?.then((it) => it.close())
    operator?.stopWorker()
    await down({ root })
  }, 120_000)

  const deploy = (version: string) => ({
    target: 'aria',
    version,
    release: operator.sandbox.releases[version],
    reason: 'a test',
  })
  const states = (steps: readonly { name: string; state: string }[]) => steps.map((it) => `${it.name} ${it.state}`)

  test('refuses what cannot be read, and changes nothing', async () => {
    await operator.start('deployWorkflow', 'deploy-unreadable', { target: 'aria', verison: '2.1.0' })
    const unreadable = await operator.end('deploy-unreadable')
    expect(unreadable).toMatchObject({ outcome: 'InvalidRequest', result: { phase: 'refused' } })
    expect(unreadable.message).toContain('verison: unknown key')
    await operator.start('rollbackWorkflow', 'rollback-elsewhere', { target: 'nowhere' })
    const elsewhere = await operator.end('rollback-elsewhere')
    expect(elsewhere.outcome).toBe('UnknownTarget')
    expect(elsewhere.message).toContain('known: aria')
    await operator.start('rollbackWorkflow', 'rollback-nothing', { target: 'aria' })
    expect((await operator.end('rollback-nothing')).outcome).toBe('Refused')
  })

  test('says so on the command line by its exit code, with the next command', async () => {
    const missing = join(root, 'nowhere')
    const told = await Promise.all([
      operator.refusal('deploy', 'nowhere', '--version', '1'),
      operator.refusal('deploy', 'aria', '--version', 'a/b; id'),
      operator.refusal('deploy', 'aria', '--version', '9.9.9', '--release', missing),
      operator.refusal('rollback', 'aria'),
    ])
    expect(told).toEqual([
      { code: 2, stderr: expect.stringMatching(/"nowhere"[^]*known: aria|hint: /) },
      { code: 2, stderr: expect.stringContaining('version: "a/b; id"') },
      { code: 3, stderr: expect.stringMatching(/nowhere[^]*hint: /) },
      { code: 3, stderr: expect.stringMatching(/hint: /) },
    ])
  })

  test('a cancelled job leaves no child of docker exec and no session in the database', async () => {
    const name = 'stepback:aria:1:a test'
    const count = () =>
      operator.query<{ n: string }>(`select count(*) as n from pg_stat_activity where application_name = '${name}'`)
    await underLease(operator.sandbox.config, async ({ pool, token, look }) => {
      const target = findTarget(loadConfig(operator.sandbox.config), 'aria')
      const container = (await look(`docker ps -q --filter label=com.docker.compose.service=aria-db\n`)).trim()
      const cancel = new AbortController()
      const job = pool
        .host(target)
        .runJob({ id: 'sleeping', token, ...sleepingSession({ container, name }), signal: cancel.signal })
      await expect.poll(async () => (await count())[0]!.n, { timeout: 30_000 }).toBe('1')
      cancel.abort()
      expect((await job).outcome).toBe('cancelled')
      expect((await count())[0]!.n).toBe('0')
      expect(await look(`docker exec ${container} sh -c 'cat /proc/[0-9]*/cmdline' | tr '\\0' ' '\n`)).not.toContain(
        'pg_sleep(600)',
      )
    })
  })

  test('deploys a good release: files, images, migration, services', async () => {
    await operator.start('deployWorkflow', 'deploy-good', deploy('2.1.0'))
    const { outcome, result } = await operator.end('deploy-good')
    expect(outcome).toBe('done')
    expect(states(result.steps)).toEqual(
      [
        'takeRestorePoint',
        'proveRestorePoint',
        'keepMigrations',
        'keepImages',
        'putFiles',
        'buildImages',
        'migrateUp',
        'startServices',
      ]
        .concat(['checkHealth', 'checkVersion', 'watchHealth', 'collectLogs', 'runHook'])
        .map((name) => `${name} done`),
    )
    expect(readdirSync(join(operator.sandbox.directory, 'aria_memories'))).toContain('deployed')
    expect(result.plan?.notes).toContain('checks before anything else: models')
    expect(result.health.every((it) => it.healthy)).toBe(true)
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.1.0', revision: 'a007_add_engine_fields' })
    expect(await operator.rows()).toEqual(rowsAtFirst)
  })

  test('refuses what is bad with one clear error each, and changes nothing', async () => {
    const bad = [...badRequests(), ...badReleases(join(root, 'bad releases'), composeFile)]
    const hosts = badHosts(operator, root)
    try {
      const before = await everything(operator)
      const [here, there] = await Promise.all([meet(operator, bad), meet(operator, hosts.bad, hosts.queue)])
      expect([...here, ...there].map(plain)).toEqual([...bad, ...hosts.bad].map(expected))
      expect(await everything(operator)).toEqual(before)
    } finally {
      hosts.stop()
    }
  })

  test('refuses a restore point of which anything is damaged, and changes nothing', async () => {
    const { backups } = operator.sandbox
    const [manifest] = readdirSync(backups).filter((name) => name.startsWith('manifest_'))
    const id = manifest!.slice('manifest_'.length, -'.json'.length)
    const before = await everything(operator)
    for (const [index, { file, damage, says }] of damages(id).entries()) {
      const request = { target: 'aria', strategy: 'restore', to: id }
      const bad: Bad = { title: `damage ${index}`, type: 'rollbackWorkflow', request, outcome: 'Refused', says: [says] }
      const [ended] = await damaged(join(backups, file), damage, () => meet(operator, [bad]))
      expect(plain(ended!)).toEqual(expected(bad))
    }
    expect(await everything(operator)).toEqual(before)
  })

  test('asks before migrations are reverted that drop tables with rows, and takes a signal for an answer', async () => {
    const run = 'rollback-base'
    await operator.start('rollbackWorkflow', run, { target: 'aria', scope: 'database', to: 'base' })
    const waiting = await operator.until(run, (progress) => progress.phase === 'waiting-for-approval')
    expect(waiting.plan?.exposure?.tables.find((it) => it.table === 'messages')?.deleted).toBe(4800)
    const words = ['--workflow-id', run, '--name', 'reject', '--input', JSON.stringify({ by: 'a test' })]
    await operator.temporal('workflow', 'signal', ...words)
    expect((await operator.end(run)).outcome).toBe('Rejected')
    expect(await operator.rows()).toEqual(rowsAtFirst)
  })

  test('undoes a bad release by itself, its irreversible migration included', async () => {
    const before = await legacy()
    expect(before.length).toBeGreaterThan(1)
    await operator.start('deployWorkflow', 'deploy-bad', deploy('2.2.0-broken'))
    const { outcome, result } = await operator.end('deploy-bad')
    expect(outcome).toBe('Undone')
    expect(result.phase).toBe('undone')
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.1.0', revision: 'a007_add_engine_fields' })
    expect(await operator.api('/api/health')).toMatchObject({ status: 'ok' })
    expect(await operator.rows()).toEqual(rowsAtFirst)
    expect(await legacy()).toEqual(before)
  })

  /** The values of the legacy columns, which the irreversible migration drops. */
  const legacy = () =>
    operator.query(
      `select key, value from (select 'sessions' as kind, s.id::text, to_jsonb(s) as row from sessions s
       union all select 'messages', m.id::text, to_jsonb(m) from messages m) t, jsonb_each_text(t.row)
       where key like 'openclaw%' order by kind, id, key`,
    )

  test('rolls back on request and keeps every row, the one written since included', async () => {
    await operator.api('/api/messages', {
      method: 'POST',
      body: JSON.stringify({ content: 'written at 2.1.0: größe' }),
    })
    const rows = await operator.rows()
    await operator.start('rollbackWorkflow', 'rollback-asked', { target: 'aria', reason: 'a test' })
    const { outcome, result } = await operator.end('rollback-asked')
    expect(outcome).toBe('done')
    expect(result.plan?.strategy).toBe('migrate')
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.0.0', revision: 'a006_pheromone_scores' })
    expect(await operator.rows()).toEqual(rows)
    expect(readFileSync(join(operator.sandbox.directory, 'VERSION'), 'utf8')).toBe('2.0.0\n')
    expect(readdirSync(join(operator.sandbox.directory, 'aria_skills'))).not.toContain('catalogue.md')
  })

  test('has nothing to do when it is asked again', async () => {
    await operator.start('rollbackWorkflow', 'rollback-again', { target: 'aria' })
    expect((await operator.end('rollback-again')).outcome).toBe('Refused')
  })

  test('asks before rows are lost, goes on with the right digest, and survives kill -9 while the database is built', async () => {
    await operator.start('deployWorkflow', 'deploy-good-again', deploy('2.1.0'))
    expect((await operator.end('deploy-good-again')).outcome).toBe('done')
    const rows = await operator.rows()
    await operator.api('/api/messages', { method: 'POST', body: JSON.stringify({ content: 'lost', count: 3 }) })
    const run = 'rollback-restore'
    await operator.start('rollbackWorkflow', run, { target: 'aria', strategy: 'restore', reason: 'a test' })
    const waiting = await operator.until(run, (progress) => progress.phase === 'waiting-for-approval')
    expect(waiting.plan?.exposure?.tables.find((it) => it.table === 'messages')).toMatchObject({
      inserted: 3,
      deleted: 0,
    })

    const answer = (input: object) => approve(run, input)
    await expect(answer({ by: 'a test', digest: '00000000' })).rejects.toThrow(/digest/)
    expect((await operator.progress(run)).answers).toMatchObject([
      { by: 'a test', refused: expect.stringMatching(/digest/) },
    ])
    await answer({ by: 'a test', digest: waiting.plan!.digest.slice('sha256:'.length, 'sha256:'.length + 8) })

    await operator.until(run, ({ steps }) =>
      steps.some((it) => it.name === 'restoreDatabase' && it.state === 'running'),
    )
    operator.replaceWorker()
    const { outcome, result } = await operator.end(run)
    expect(outcome).toBe('done')
    expect(states(result.steps).every((state) => state.endsWith(' done'))).toBe(true)
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.0.0', revision: 'a006_pheromone_scores' })
    expect(await operator.rows()).toEqual(rows)
  })

  const approve = (run: string, input: object) => {
    const words = ['--workflow-id', run, '--name', 'approve', '--input', JSON.stringify(input)]
    return operator.temporal('workflow', 'update', 'execute', ...words)
  }

  test('undoes that rollback by one more swap, and goes back by the warm copy next', async () => {
    const rows = await operator.rows()
    browser = WebUi.open(operator.sandbox) // takes its time beside the run
    const [kept] = (await operator.points()).filter((it) => it.state === 'kept')
    await operator.start('rollbackWorkflow', 'rollback-undone', { target: 'aria', to: kept!.id })
    const undone = await operator.end('rollback-undone')
    expect(undone).toMatchObject({ outcome: 'done', result: { plan: { strategy: 'swap', exposure: { total: 0 } } } })
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.1.0', revision: 'a007_add_engine_fields' })
    expect(await operator.query(`select count(*)::int as n from messages where content like 'lost%'`)).toEqual([
      { n: 3 },
    ])

    const run = 'rollback-swap'
    await operator.start('rollbackWorkflow', run, { target: 'aria', strategy: 'swap', reason: 'error rate up' })
    const waiting = await answerInBrowser(operator, await browser, run)
    expect(waiting.plan).toMatchObject({ strategy: 'swap', exposure: { total: 3 } })
    expect((await operator.end(run)).outcome).toBe('done')
    expect(await operator.rows()).toEqual(rows)
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.0.0', revision: 'a006_pheromone_scores' })
  })

  test('leaves nothing half-made, and the lease free', async () => {
    expect(await leftovers(operator)).toBe('')
  })

  test('shows the secrets of the environment file in no history, log or process argument', async () => {
    const { directory, backups } = operator.sandbox
    const secret = parseEnvFile(readFileSync(join(directory, '.env'), 'utf8')).get('DB_PASSWORD')!
    expect(secret.length).toBeGreaterThan(16)
    expect(argumentsSeen.length).toBeGreaterThan(20)
    expect(argumentsSeen.some((seen) => seen.includes('docker compose'))).toBe(true)
    expect(argumentsSeen.filter((seen) => seen.includes(secret))).toEqual([])
    expect(await operator.histories()).not.toContain(secret)
    const logs = readdirSync(join(root, 'logs')).map((name) => readFileSync(join(root, 'logs', name), 'utf8'))
    expect(logs.join('\n')).not.toContain(secret)
    const state = join(backups, '.stepback')
    const written = readdirSync(state, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    expect(written.join('\n')).not.toContain(secret)
  })
})

function plain({ outcome, message, result }: Ended): object {
  return { outcome, phase: result.phase, message, hinted: message.includes('\nhint: ') }
}

function expected({ outcome, says }: Bad): object {
  const message = says.map((it) => `(?=[^]*${it.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')})`).join('')
  return { outcome, phase: 'refused', message: expect.stringMatching(`^${message}`), hinted: expect.any(Boolean) }
}
