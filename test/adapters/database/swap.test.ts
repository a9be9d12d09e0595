import { spawn, spawnSync } from 'node:child_process'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Journal, swapDatabases, type SwapInput } from '../../../src/adapters/database.js'
import { createJournal, journalMark, sessionPrefix, timerScript } from '../../../src/commands/database.js'
import { again, exchange, learnExchange, openExchange, raiseFence } from '../../../src/commands/database/exchange.js'
import { dropAnswer, startPostgres, type TestPostgres } from '../../support/postgres.js'

let server: TestPostgres
let target: string
let live: string
const journals: Journal[] = []
const clients: pg.Client[] = []
let count = 0

beforeAll(async () => {
  server = await startPostgres()
  const made = () =>
    spawnSync('sh', ['-c', createJournal({ exec: server.exec(), psqlUser: 'postgres' })], { encoding: 'utf8' })
  expect(made()).toMatchObject({ status: 0, stderr: '' })
  expect(made(), 'a second time').toMatchObject({ status: 0, stderr: '' })
})
afterAll(() => server?.stop())

beforeEach(async () => {
  count++
  target = `stack-${count}`
  live = `app${count}`
  for (const [name, mark] of [
    [live, 'old'],
    [`${live}__new_0000000a`, 'new'],
  ] as const) {
    await server.query('postgres', `create database ${name}`)
    await server.query(name, `create table mark as select '${mark}' as mark`)
  }
  await server.query('postgres', `alter database ${live}__new_0000000a allow_connections false`)
  return async () => {
    await Promise.all([...journals.splice(0), ...clients.splice(0)].map((it) => it.end().catch(() => {})))
  }
})

describe('the journal', () => {
  it('is told from one of another version by its mark, so that making it again is not needed each time', async () => {
    const mine = await journal()
    expect(await mine.has(journalMark)).toBe(true)
    expect(await mine.has('another')).toBe(false)
  })
})

describe('the exchange with psql alone', () => {
  const byHand = (token = 1) => ({
    exec: server.exec(),
    psqlUser: 'postgres',
    target,
    token,
    run8: '0000000a',
    database: live,
    incoming: `${live}__new_0000000a`,
    source: 'point-1',
  })
  const run = (script: string) => spawnSync('sh', ['-c', script], { encoding: 'utf8' })
  const raise = (token: number) => run(raiseFence(byHand(token), sessionPrefix({ target })))
  const learned = () => run(learnExchange(byHand())).stdout.trim()
  const well = { status: 0, stderr: '' }

  it('ends who is connected, exchanges the names, keeps the former database closed, and is done once', async () => {
    await connect(live)
    expect(raise(1)).toMatchObject(well)
    expect(run(openExchange(byHand()))).toMatchObject(well)
    expect(run(exchange({ ...byHand(), closing: 1 }))).toMatchObject(well)
    expect(await marked()).toBe('new')
    expect(await databases()).toEqual([`${live} open`, `${live}__before_0000000a closed`])
    expect(run(exchange({ ...byHand(), closing: 2 })).status).toBe(again)
    expect([await marked(), learned()]).toEqual(['new', 'open|1|swapped'])
  })

  it('changes nothing under a token that is not in force', async () => {
    expect(raise(1)).toMatchObject(well)
    expect(run(openExchange(byHand()))).toMatchObject(well)
    expect([raise(2).status, raise(1).status]).toEqual([0, 3])
    expect(run(openExchange(byHand(1))).status).toBe(3)
    expect(run(exchange({ ...byHand(1), closing: 1 })).status).toBe(again)
    expect([await marked(), learned()]).toEqual(['old', 'open|0|planned'])
  })

  it('opens the database again where the renames fail', async () => {
    expect(raise(1)).toMatchObject(well)
    expect(run(openExchange(byHand()))).toMatchObject(well)
    await server.query('postgres', `drop database "${live}__new_0000000a"`)
    expect(run(exchange({ ...byHand(), closing: 1 })).status).toBe(again)
    expect([await marked(), learned()]).toEqual(['old', 'open|1|planned'])
  })

  it('opens what an earlier holder left closed, and ends its sessions, by raising its token', async () => {
    expect(raise(1)).toMatchObject(well)
    const closed = `update stepback.door set state = 'closed', closing = 7,
      closed_oid = (select oid from pg_database where datname = $2) where target = $1`
    await server.query('stepback', closed, [target, live])
    await server.query('postgres', `alter database ${live} allow_connections false`)
    const old = await connect('postgres', `${sessionPrefix({ target })}1:x`)
    expect(raise(2)).toMatchObject(well)
    await expect(old.query('select')).rejects.toThrow()
    expect([await marked(), learned()]).toEqual(['old', 'open|8|none'])
  })
})

describe('the swap', () => {
  it('exchanges the names in one act, keeps the former database closed, and is done once', async () => {
    const swap = await ready()
    expect(await swapDatabases(swap)).toMatchObject({ outcome: 'done', already: false })
    expect(await marked()).toBe('new')
    expect(await databases()).toEqual([`${live} open`, `${live}__before_0000000a closed`])
    expect(await swapDatabases(swap)).toMatchObject({ outcome: 'done', already: true })
    expect(await marked()).toBe('new')
  })

  it('remembers what the live database was made from, and the snapshot of its first moment', async () => {
    const swap = await ready()
    expect(await swap.journal.memory.beginningOf({ target, database: live })).toBeUndefined()
    await swapDatabases(swap)
    await server.query(live, `insert into mark values ('written since')`)
    const beginning = await swap.journal.memory.beginningOf({ target, database: live })
    expect(beginning).toMatchObject({ source: 'point-1' })
    const unseen = `select count(*) from mark where not pg_visible_in_snapshot(xmin::text::xid8, '${beginning!.snapshot}')`
    expect(await server.query(live, unseen)).toEqual([{ count: '1' }])
    await swap.journal.seal(swap)
    await swapDatabases({ ...swap, direction: 'back' })
    expect(await swap.journal.memory.beginningOf({ target, database: live })).toBeUndefined()
  })

  it('takes what a later token built anew in the place of what was built first', async () => {
    await ready()
    const built = `${live}__new_0000000a`
    await server.query('postgres', `drop database "${built}"`)
    await server.query('postgres', `create database "${built}" template "${live}"`)
    await server.query(built, `update mark set mark = 'anew'`)
    expect(await swapDatabases(await ready(2))).toMatchObject({ outcome: 'done', already: false })
    expect(await marked()).toBe('anew')
  })

  it('takes what was built in the place of a copy that another attempt was to take', async () => {
    await ready()
    const built = `${live}__new_0000000b`
    await server.query('postgres', `create database "${built}" template "${live}"`)
    await server.query(built, `update mark set mark = 'built'`)
    expect(await swapDatabases(await ready(1, built))).toMatchObject({ outcome: 'done', already: false })
    expect(await marked()).toBe('built')
  })

  it('happens once when two attempts work at once', async () => {
    const swap = await ready()
    const other = { ...swap, journal: await journal() }
    const outcomes = await Promise.all([swapDatabases(swap), swapDatabases(other)])
    expect(outcomes.filter((it) => it.outcome === 'done' && !it.already)).toHaveLength(1)
    expect(await marked()).toBe('new')
    expect(await databases()).toEqual([`${live} open`, `${live}__before_0000000a closed`])
  })

  it('ends an application that keeps coming back, and loses none of what it wrote unseen', async () => {
    await server.query(live, 'create table written (i int)')
    const swap = await ready()
    let on = true
    const writers = [1, 2, 3].map(async () => {
      while (on) await server.query(live, 'insert into written values (1)').catch(() => {})
    })
    const outcome = await swapDatabases(swap)
    on = false
    await Promise.all(writers)
    expect(outcome).toMatchObject({ outcome: 'done' })
    expect(await marked()).toBe('new')
  })

  it('does nothing under a token that is no longer in force, at any of its acts', async () => {
    const swap = await ready()
    const taker = await journal()
    const fenced = { type: 'Fenced' }
    await taker.raiseFence({ target, token: 2 })
    await expect(swap.journal.raiseFence(swap)).rejects.toMatchObject(fenced)
    await expect(swap.journal.close({ ...swap, closing: 1 })).rejects.toMatchObject(fenced)
    await expect(swap.journal.swap({ ...swap, closing: 0, count: '0' })).rejects.toMatchObject(fenced)
    await expect(swap.journal.seal(swap)).rejects.toMatchObject(fenced)
    await expect(swap.journal.mend(swap)).rejects.toMatchObject(fenced)
    await expect(swapDatabases(swap)).rejects.toMatchObject(fenced)
    expect(await marked()).toBe('old')
  })

  it('does not exchange when the token is raised between the close and the renames; the taker opens', async () => {
    const swap = await ready()
    expect(await swap.journal.close({ ...swap, closing: 1 })).toBe(true)
    const taker = await journal()
    await taker.raiseFence({ target, token: 2 })
    const oid = (await swap.journal.learn({ ...swap, token: 2 })).operation!.liveOid
    await expect(
      swap.journal.swap({ ...swap, closing: 1, count: await swap.journal.count(oid) }),
    ).rejects.toMatchObject({ type: 'Fenced' })
    expect(await taker.mend({ target, token: 2 })).toBe(true)
    expect(await marked()).toBe('old')
  })

  it('starts over when something was written between the count and the renames', async () => {
    const swap = await ready()
    const learnt = await swap.journal.learn(swap)
    const oid = learnt.operation!.liveOid
    expect(await swap.journal.close({ ...swap, closing: 1 })).toBe(true)
    const counted = await swap.journal.count(oid)
    await server.query('stepback', `alter database ${live} allow_connections true`)
    await server.query(live, `insert into mark values ('late')`)
    await server.query('stepback', `alter database ${live} allow_connections false`)
    expect(await swap.journal.swap({ ...swap, closing: 1, count: counted })).toBe(false)
    expect(await databases()).toEqual([`${live} closed`, `${live}__new_0000000a closed`])
    expect(await swapDatabases(swap)).toMatchObject({ outcome: 'done', already: false })
  })

  it('holds, with the database open again, when the judge says no', async () => {
    const swap = await ready()
    let ended = 0
    const openJudge = async () => {
      const client = await connect(live)
      const { rows } = await client.query('select pg_backend_pid() as pid')
      const goOn = async () => {
        await expect(server.query(live, 'select 1')).rejects.toMatchObject({ code: '55000' })
        return (await client.query('select count(*) from mark')).rows[0].count !== '1'
      }
      return { pid: rows[0].pid, goOn, end: async () => void (ended++, await client.end()) }
    }
    expect(await swapDatabases({ ...swap, openJudge })).toEqual({ outcome: 'held' })
    expect(ended).toBeGreaterThan(0)
    expect(await marked()).toBe('old')
  })

  it('refuses while a prepared transaction would keep the name, and closes nothing', async () => {
    const swap = await ready()
    await server.query(live, `begin; insert into mark values ('x'); prepare transaction 'p${count}'`)
    await expect(swapDatabases(swap)).rejects.toMatchObject({ type: 'Busy' })
    await server.query(live, `rollback prepared 'p${count}'`)
    expect(await marked()).toBe('old')
  })

  it('knows after a lost answer to COMMIT that it is done', async () => {
    const swap = await ready()
    const lossy = await dropAnswer(server, /^commit$/i, 2)
    const broken = await journal(lossy.port)
    // The first commit through this connection is the learning, the second the close, the third the exchange.
    await expect(swapDatabases({ ...swap, journal: broken })).rejects.toMatchObject({ type: 'Unreachable' })
    lossy.close()
    expect(await swapDatabases(swap)).toMatchObject({ outcome: 'done', already: true })
    expect(await marked()).toBe('new')
  })

  it('is undone by a swap back, once, and a ghost of it does not swap again', async () => {
    const swap = await ready()
    await swapDatabases(swap)
    const back = { ...swap, direction: 'back' as const }
    await expect(swapDatabases(back)).rejects.toThrow('must be sealed')
    await swap.journal.seal(swap)
    expect(await swapDatabases(back)).toMatchObject({ outcome: 'done', already: false })
    expect(await databases()).toEqual([`${live} open`, `${live}__new_0000000a closed`])
    expect(await marked()).toBe('old')
    expect(await swapDatabases(back)).toMatchObject({ outcome: 'done', already: true })
    await expect(swapDatabases(swap)).rejects.toMatchObject({ type: 'StepFailed' })
    expect(await swap.journal.close({ ...swap, closing: (await swap.journal.learn(swap)).door.closing + 1 })).toBe(
      false,
    )
    expect(await marked()).toBe('old')
  })

  it('is not done any more once it is sealed, and what its ghost closed is opened by the undo', async () => {
    const swap = await ready()
    expect(await swap.journal.close({ ...swap, closing: 1 })).toBe(true)
    await swap.journal.seal(swap)
    expect(await swap.journal.swap({ ...swap, closing: 1, count: '0' })).toBe(false)
    expect(await swapDatabases({ ...swap, direction: 'back' })).toMatchObject({ outcome: 'done', already: true })
    expect(await marked()).toBe('old')
  })

  it('asks for a timer of each number before it closes, and stops where it cannot have one', async () => {
    const swap = await ready()
    const armed: string[] = []
    const armTimer = async (closing: number) => void armed.push(`${closing} ${(await databases())[0]}`)
    await swapDatabases({ ...swap, armTimer })
    expect(armed).toEqual([`1 ${live} open`])
    const failing = { ...swap, id: 'none' }
    await expect(swapDatabases(failing)).rejects.toMatchObject({ type: 'StepFailed' })
  })

  it('does not touch a database that took the name of the expected one', async () => {
    const swap = await ready()
    await server.query('postgres', `alter database ${live} rename to ${live}_other`)
    await server.query('postgres', `create database ${live}`)
    await expect(swapDatabases(swap)).rejects.toMatchObject({ type: 'StepFailed' })
    expect(await databases()).toEqual([`${live} open`, `${live}__new_0000000a closed`, `${live}_other open`])
  })
})

describe('the timer', () => {
  it('waits for its closing, opens it when its holder died, and ends', async () => {
    const swap = await ready()
    const timer = arm(1)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(timer.child.exitCode, 'before the close').toBe(null)
    expect(await swap.journal.close({ ...swap, closing: 1 })).toBe(true)
    expect(await timer.ended).toBe(0)
    expect(await marked()).toBe('old')
    expect(await swap.journal.swap({ ...swap, closing: 1, count: '0' })).toBe(false)
  })

  it('leaves a later closing closed, and ends', async () => {
    const swap = await ready()
    expect(await swap.journal.close({ ...swap, closing: 1 })).toBe(true)
    expect(await swap.journal.close({ ...swap, closing: 2 })).toBe(true)
    expect(await arm(1).ended).toBe(0)
    expect((await databases())[0]).toBe(`${live} closed`)
    expect(await arm(2).ended).toBe(0)
    expect((await databases())[0]).toBe(`${live} open`)
  })

  it('ends after the swap without opening the kept database', async () => {
    const swap = await ready()
    await swapDatabases(swap)
    expect(await arm(1).ended).toBe(0)
    expect(await databases()).toEqual([`${live} open`, `${live}__before_0000000a closed`])
  })

  it('stays while its closing is closed, though a later token came between its two looks: the taker may die', async () => {
    const swap = await ready()
    const observer = await connect('stepback')
    await observer.query(`select pg_advisory_lock($1)`, [count])
    // Holds the timer, and nobody else, behind its first statement.
    await observer.query(`create function hold_${count}() returns trigger language plpgsql as $$ begin
      if current_setting('application_name') = 'test' then perform pg_advisory_xact_lock(${count}); end if;
      return null; end $$;
      create trigger hold_${count} after update on stepback.door execute function hold_${count}()`)
    const timer = arm(1)
    await until(
      async () =>
        (await observer.query('select from pg_locks where not granted and locktype = $1', ['advisory'])).rowCount === 1,
    )
    expect(await swap.journal.close({ ...swap, closing: 1 })).toBe(true)
    await swap.journal.raiseFence({ target, token: 2 })
    await observer.query(`select pg_advisory_unlock($1)`, [count])
    expect(await timer.ended).toBe(0)
    await observer.query(`drop function hold_${count} cascade`)
    expect((await databases())[0]).toBe(`${live} open`)
  })

  it('ends when a later token makes its closing impossible', async () => {
    const swap = await ready()
    await swap.journal.raiseFence({ target, token: 2 })
    expect(await arm(1).ended).toBe(0)
  })
})

describe('a take-over', () => {
  it('ends the sessions of smaller tokens of this target alone', async () => {
    const mine = await journal()
    await mine.raiseFence({ target, token: 7 })
    for (const name of [
      `${sessionPrefix({ target })}6:dump`,
      `${sessionPrefix({ target })}7:dump`,
      'stepback:other:1:dump',
      'psql',
    ]) {
      await connect(live, name)
    }
    await mine.endSessions({ prefix: sessionPrefix({ target }), olderThan: 7 })
    const left = await server.query<{ name: string }>(
      'postgres',
      `select application_name as name from pg_stat_activity where datname = $1 order by 1`,
      [live],
    )
    expect(left.map((row) => row.name)).toEqual(['psql', 'stepback:other:1:dump', `${sessionPrefix({ target })}7:dump`])
  })
})

describe('the memory of the journal', () => {
  const writes = { xid: '7', tables: [{ oid: 1, schema: 'public', name: 't', inserted: 3, updated: 0, deleted: 0 }] }

  it('knows a restore point by the token that took it, and migrations by the database that they ran in', async () => {
    const mine = await journal()
    const fenced = { target, token: 1, id: 'point', database: live }
    await mine.raiseFence({ target, token: 2 })
    expect(await mine.memory.remembered(fenced)).toEqual({ taken: false, migrations: [] })
    await expect(mine.memory.rememberTaken(fenced)).rejects.toMatchObject({ type: 'Fenced' })
    await mine.memory.rememberTaken({ ...fenced, token: 2 })
    await mine.memory.rememberMigration({ ...fenced, token: 2, writes })
    await mine.memory.rememberMigration({ ...fenced, token: 2, writes })
    expect(await mine.memory.remembered(fenced)).toEqual({ taken: true, migrations: [writes] })
    expect(await mine.memory.remembered({ ...fenced, id: 'other' })).toEqual({ taken: false, migrations: [writes] })
    expect((await mine.memory.remembered({ ...fenced, database: 'postgres' })).migrations).toEqual([])
  })
})

describe('PostgreSQL', () => {
  it('refuses a rename while a backend that passed the check is inside its start, where no list shows it', async () => {
    const swap = await ready()
    const { operation } = await swap.journal.learn(swap)
    // A start reads this table behind the check of datallowconn and before the session is listed.
    const observer = await connect('stepback')
    const blocker = await connect('postgres')
    await blocker.query('begin; lock table pg_db_role_setting in access exclusive mode')
    const late = new pg.Client({ host: server.host, port: server.port, user: 'postgres', database: live })
    late.on('error', () => {})
    const started = late.connect().then(
      () => 'connected',
      () => 'refused',
    )
    await until(async () => {
      const waiting = `select from pg_locks where relation = 'pg_db_role_setting'::regclass and not granted`
      return (await observer.query(waiting)).rowCount === 1
    })
    expect(await swap.journal.close({ ...swap, closing: 1 })).toBe(true)
    const listed = await observer.query('select from pg_stat_activity where datid = $1', [operation!.liveOid])
    expect(listed.rowCount).toBe(0)
    const counted = await swap.journal.count(operation!.liveOid)
    // Not by the count of sessions: a start holds a lock on the database until it is through.
    await expect(swap.journal.swap({ ...swap, closing: 1, count: counted })).rejects.toMatchObject({
      type: 'Busy',
      cause: { code: '55P03' },
    })
    await blocker.query('rollback')
    expect(await started).toBe('connected')
    await late.query(`insert into mark values ('late')`)
    await late.end()
    expect(await swap.journal.swap({ ...swap, closing: 1, count: counted }), 'what the late one wrote').toBe(false)
    expect(await databases()).toEqual([`${live} closed`, `${live}__new_0000000a closed`])
  }, 30_000)

  it('refuses a rename for five seconds while a session is there', async () => {
    const swap = await ready()
    const { operation } = await swap.journal.learn(swap)
    await connect(live)
    expect(await swap.journal.close({ ...swap, closing: 1 })).toBe(true)
    const counted = await swap.journal.count(operation!.liveOid)
    await expect(swap.journal.swap({ ...swap, closing: 1, count: counted })).rejects.toMatchObject({
      type: 'Busy',
      cause: { code: '55006' },
    })
  }, 30_000)

  it('has the writes of a backend in the counters before it is gone from the list', async () => {
    const swap = await ready()
    const { operation } = await swap.journal.learn(swap)
    for (let round = 0; round < 20; round++) {
      const before = BigInt(await swap.journal.count(operation!.liveOid))
      const client = await connect(live)
      await client.query(`insert into mark select 'x' from generate_series(1, 10)`)
      await swap.journal.endSessionsOf({ oid: operation!.liveOid })
      expect(BigInt(await swap.journal.count(operation!.liveOid)) - before).toBeGreaterThanOrEqual(10n)
    }
  })
})

async function ready(token = 1, newName = `${live}__new_0000000a`): Promise<SwapInput> {
  const mine = { journal: await journal(), target, token, id: 'run.swap' }
  await mine.journal.raiseFence(mine)
  await mine.journal.openOperation({
    ...mine,
    liveName: live,
    newName,
    beforeName: `${live}__before_0000000a`,
    source: 'point-1',
  })
  return { ...mine, direction: 'there', armTimer: async () => {} }
}

async function journal(port = server.port): Promise<Journal> {
  const { host, user, password } = server
  const made = await Journal.connect({
    host,
    port,
    user,
    password,
    applicationName: `${sessionPrefix({ target })}1:swap`,
  })
  journals.push(made)
  return made
}

async function connect(database: string, name = 'app'): Promise<pg.Client> {
  const { host, port, user } = server
  const client = new pg.Client({ host, port, user, database, application_name: name })
  client.on('error', () => {})
  await client.connect()
  clients.push(client)
  return client
}

function arm(closing: number) {
  const text = timerScript({
    exec: server.exec(),
    psqlUser: 'postgres',
    target,
    token: 1,
    closing,
    afterSeconds: 0,
    everySeconds: 1,
  })
  const child = spawn('sh', ['-c', text], { stdio: 'ignore' })
  return { child, ended: new Promise<number | null>((resolve) => child.on('close', resolve)) }
}

async function marked(): Promise<string> {
  const [row] = await server.query<{ mark: string }>(live, 'select mark from mark')
  return row!.mark
}

async function databases(): Promise<string[]> {
  const rows = await server.query<{ line: string }>(
    'postgres',
    `select datname || case when datallowconn then ' open' else ' closed' end as line from pg_database
     where datname ~ $1 order by datname collate "C"`,
    [`^${live}(_|$)`],
  )
  return rows.map((row) => row.line)
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20))
}
