import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type CarryInput,
  Journal,
  type LeftRow,
  TargetDatabase,
  carryRows,
  carryableTables,
  nothingRemembered,
  tryCarry,
} from '../../../src/adapters/database.js'
import { createJournal } from '../../../src/commands/database.js'
import type { CarriedTable } from '../../../src/plan/carry.js'
import { startPostgres, type TestPostgres } from '../../support/postgres.js'

const there = 'app__new_0000000a'
let server: TestPostgres
let left: LeftRow[]
let since: NonNullable<CarryInput['since']>

beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server?.stop())
beforeEach(() => {
  left = []
})

/** The database as it was, its copy as a restore makes it, and what happened to the live one since. */
async function story(then: string, later: string, meanwhile = ''): Promise<void> {
  for (const name of [there, 'app']) await server.query('postgres', `drop database if exists ${name} with (force)`)
  await server.query('postgres', 'create database app')
  if (then !== '') await server.query('app', then)
  since = { baseline: await baseline(), remembered: { taken: true, migrations: [] } }
  await server.query('postgres', `create database ${there} template app`)
  if (meanwhile !== '') await server.query(there, meanwhile)
  await server.query('app', later)
}

async function baseline() {
  const live = await TargetDatabase.connect(address('app'))
  const counters = await live.counters().finally(() => live.end())
  const [row] = await server.query<{ oid: number; systemIdentifier: string; snapshot: string }>(
    'app',
    `select d.oid, (select system_identifier::text from pg_control_system()) as "systemIdentifier",
     pg_current_snapshot()::text as snapshot from pg_database d where datname = 'app'`,
  )
  return { ...row!, openSavepoints: false, counters, tables: [] }
}

function address(database: string) {
  const { host, port, user, password } = server
  return { host, port, user, password, database, applicationName: 'stepback:aria:1:carry' }
}

async function input(changes: Partial<CarryInput> = {}): Promise<CarryInput> {
  const tables = (await carryableTables(address('app'))).map((it) => it.table)
  const leave = async (row: LeftRow) => void left.push(row)
  return { live: address('app'), into: address(there), tables, since, leave, ...changes }
}

/** Committed, as the journal would remember it. */
async function carry(changes: Partial<CarryInput> = {}): Promise<readonly CarriedTable[]> {
  const record = { done: async () => undefined, pristine: async () => undefined }
  return await carryRows(await input(changes), { ...record, remember: async (_xid, _pristine, tables) => tables })
}

const rows = async (text: string) => (await server.query<{ x: string }>(there, text)).map((it) => it.x)

const sessions = `create table sessions (id int generated always as identity primary key, name text unique);
  create table messages (id serial primary key, session int not null references sessions, text text, size int generated always as (length(text)) stored);
  insert into sessions (name) values ('a'), ('b'); insert into messages (session, text) values (1, 'old'), (2, 'older')`

describe.each(['ids', 'key'] as const)('rows inserted since, told by %s', (method) => {
  const by = () => (method === 'ids' ? {} : { since: null })
  const table = (name: string, figures: object) =>
    expect.objectContaining({ table: name, method, carried: 0, conflicting: 0, notFitting: 0, lost: 0, ...figures })

  test('come along with their parents, and the next number comes behind them', async () => {
    await story(
      sessions,
      `insert into messages (session, text) select 1, 'new ' || i from generate_series(1, 450) i;
       insert into sessions (name) values ('c'); insert into messages (session, text) values (3, 'of a new session')`,
    )
    expect(await carry(by())).toEqual([table('messages', { carried: 451 }), table('sessions', { carried: 1 })])
    expect(left).toEqual([])
    expect(await rows(`select count(*)::text || ' ' || max(size) as x from messages`)).toEqual(['453 16'])
    expect(await rows(`insert into messages (session, text) values (1, 'next') returning id::text as x`)).toEqual([
      '454',
    ])
    expect(await rows(`insert into sessions (name) values ('next') returning id::text as x`)).toEqual(['4'])
  })

  test('without the table of their parents do not fit where these are not there', async () => {
    await story(
      sessions,
      `insert into sessions (name) values ('c'); insert into messages (session, text) values (3, 'x'), (1, 'y')`,
    )
    expect(await carry({ ...by(), tables: ['messages'] })).toEqual([
      table('messages', {
        carried: 1,
        notFitting: 1,
        lost: 1,
        reasons: [{ why: 'have no parent (messages_session_fkey)', rows: 1 }],
      }),
    ])
    expect(left).toEqual([
      {
        table: 'messages',
        kind: 'not fitting',
        why: expect.any(String),
        row: { id: '3', session: '3', text: 'x', size: '1' },
      },
    ])
  })

  test('that refer to each other come in any order', async () => {
    await story(
      `create table nodes (id int primary key, parent int references nodes); insert into nodes values (1, null)`,
      `alter table nodes disable trigger all; insert into nodes select i, i + 1 from generate_series(2, 40) i;
       insert into nodes values (41, 1), (60, 99); alter table nodes enable trigger all`,
    )
    expect(await carry(by())).toEqual([
      table('nodes', {
        carried: 40,
        notFitting: 1,
        lost: 1,
        reasons: [{ why: 'have no parent (nodes_parent_fkey)', rows: 1 }],
      }),
    ])
  })

  test('are told apart in whole portions where hardly any has a parent', async () => {
    await story(
      sessions,
      `insert into sessions (name) values ('c'); insert into messages (session, text)
         select case when i % 100 = 0 then 1 else 3 end, 'new ' || i from generate_series(1, 1000) i`,
    )
    const tables = ['messages']
    expect(await carry({ ...by(), tables })).toEqual([
      table('messages', {
        carried: 10,
        notFitting: 990,
        lost: 990,
        reasons: [{ why: 'have no parent (messages_session_fkey)', rows: 990 }],
      }),
    ])
    expect(await rows(`select count(*)::text as x from messages where text like 'new%00'`)).toEqual(['10'])
  })

  test('conflict where something else has what is to be unique, and each says why without a word of the row', async () => {
    await story(
      `create table users (id int primary key, name text unique, age int check (age > 0), mood text not null default 'x');
       insert into users values (1, 'ann', 30)`,
      `update users set name = 'anna' where id = 1; insert into users values (2, 'ann', 31), (3, 'bob', 32);
       alter table users drop constraint users_age_check; insert into users values (4, 'eve', -1)`,
    )
    const [users] = await carry(by())
    expect(users).toMatchObject({ carried: 1, conflicting: method === 'ids' ? 2 : 1, notFitting: 1, lost: 2 })
    expect(users!.reasons).toEqual(
      expect.arrayContaining([
        { why: 'are taken by users_name_key', rows: 1 },
        { why: 'do not pass users_age_check', rows: 1 },
      ]),
    )
    expect(JSON.stringify(users)).not.toMatch(/eve|ann/)
    expect(await rows('select name as x from users order by id')).toEqual(['ann', 'bob'])
  })

  test('of a schema that has gone on lose what has no place, and are listed with it', async () => {
    await story(
      `create type mood as enum ('good'); create domain short as varchar(5);
       create table notes (id int primary key, mood mood, title short, price numeric(5,1), tag char(3), at timestamptz, raw bytea, doc json, list text[]);
       create table gone (id int primary key)`,
      `alter type mood add value 'bad'; commit; alter table notes alter title type text, alter price type numeric(9,4), add engine text;
       create table fresh (id int primary key); insert into fresh values (1), (2);
       insert into notes (id, mood, title, price, tag, at, raw, doc, list) values
         (1, 'good', 'short', 1.5, 'ab', 'infinity', '\\x00ff', '{"b": 1,   "a": 2, "a": 3}', '{"x,y",null,"\\"q\\\\"}'),
         (2, 'good', 'far too long', 1, null, null, null, null, null), (3, 'good', 'cut', 1.2345, null, null, null, null, null);
       insert into notes (id, mood, engine) values (4, 'bad', 'v2'), (5, 'good', 'v2'); drop table gone`,
    )
    expect(await carry(by())).toEqual([
      table('fresh', { notFitting: 2, lost: 2, reasons: [{ why: 'have no table', rows: 2 }] }),
      table('notes', {
        carried: 2,
        notFitting: 3,
        lost: 3,
        without: { columns: ['engine'], rows: 1 },
        reasons: expect.arrayContaining([
          { why: 'have a value of another type', rows: 2 },
          { why: 'have a value that would become another one', rows: 1 },
        ]),
      }),
    ])
    expect(left.filter((it) => it.kind === 'cut').map((it) => [it.table, it.row['id'], it.row['engine']])).toEqual([
      ['notes', '5', 'v2'],
    ])
    const whole = `select x::text as x from notes x where id = 1`
    const [same] = await server.query<{ x: string }>(
      'app',
      `select x::text as x from (select id, mood, title, '1.5', tag, at, raw, doc, list from notes) x where id = 1`,
    )
    expect(await rows(whole)).toEqual([same!.x])
  })

  test('go through no trigger and no rule of the application, and these are as before afterwards', async () => {
    const state = `select string_agg(tgname || tgenabled::text, ' ' order by tgname) as x from pg_trigger where not tgisinternal`
    await story(
      `create table log (id serial primary key, what text); create table things (id int primary key, n int);
       create function noted() returns trigger language plpgsql as $$ begin insert into log (what) values ('thing'); new.n := 99; return new; end $$;
       create trigger one before insert on things for each row execute function noted();
       create trigger two before insert on things for each row execute function noted();
       alter table things enable always trigger two;
       create trigger off before insert on things for each row execute function noted(); alter table things disable trigger off;
       create rule twice as on insert to things do also insert into log (what) values ('rule')`,
      `alter table things disable trigger user; alter table things disable rule twice; insert into things values (1, 1)`,
    )
    const before = await rows(state)
    expect(await carry(by())).toEqual([table('things', { carried: 1 })])
    expect(await rows('select n::text as x from things')).toEqual(['1'])
    expect(await rows('select count(*)::text as x from log')).toEqual(['0'])
    expect(await rows(state)).toEqual(before)
    expect(await rows(`select ev_enabled::text as x from pg_rewrite where rulename = 'twice'`)).toEqual(['O'])
  })

  test('of partitions find their own, or have none', async () => {
    await story(
      `create table events (day date, id int, note text, primary key (day, id)) partition by range (day);
       create table events_1 partition of events for values from ('2026-01-01') to ('2026-02-01');
       create schema other; create table other.events_2 partition of events for values from ('2026-02-01') to ('2026-03-01')`,
      `create table events_3 partition of events for values from ('2026-03-01') to ('2026-04-01');
       insert into events values ('2026-01-05', 1, 'a'), ('2026-02-05', 1, 'b'), ('2026-03-05', 1, 'c')`,
    )
    expect(await carry(by())).toEqual([
      table('events_1', { carried: 1 }),
      table('events_3', { notFitting: 1, lost: 1, reasons: [{ why: 'have no partition', rows: 1 }] }),
      table('other.events_2', { carried: 1 }),
    ])
    expect(await rows('select note as x from events order by day')).toEqual(['a', 'b'])
  })

  test('are hidden by no policy, and the databases may say read only to others', async () => {
    await story(
      `create table docs (id int primary key, owner text); alter table docs enable row level security;
       alter table docs force row level security; create policy own on docs using (owner = current_user);
       alter database app set default_transaction_read_only to on`,
      `begin read write; insert into docs values (1, 'somebody'); commit`,
      `begin read write; alter database ${there} set default_transaction_read_only to on; commit`,
    )
    expect(await carry(by())).toEqual([table('docs', { carried: 1 })])
  })

  test('are counted by a rehearsal, which leaves nothing', async () => {
    await story(sessions, `insert into messages (session, text) values (1, 'x'), (2, 'y')`)
    expect(await tryCarry(await input(by()))).toEqual([table('messages', { carried: 2 })])
    expect(await rows('select count(*)::text as x from messages')).toEqual(['2'])
    expect(await rows(`select count(*)::text as x from pg_trigger where tgenabled = 'D'`)).toEqual(['0'])
  })
})

describe('a table without a key', () => {
  test('is carried by the ids of the transactions alone', async () => {
    await story(
      `create table lines (text text); insert into lines values ('old')`,
      `insert into lines values ('a'), ('a')`,
    )
    expect(await carry()).toMatchObject([{ table: 'lines', method: 'ids', carried: 2 }])
    expect(await rows('select text as x from lines order by 1')).toEqual(['a', 'a', 'old'])
    await expect(carry({ since: null })).rejects.toThrow('it has no key, and transaction ids cannot tell')
  })
})

describe('rows that a migration wrote', () => {
  test('anew are the application’s, and rows that it put there itself are not', async () => {
    await story(
      `create table a (id int primary key, n int); insert into a values (1, 1)`,
      'insert into a values (2, 2)',
    )
    const [it] = await server.query<{ xid: string; oid: number }>(
      'app',
      `with x as (insert into a values (3, 3) returning 1), y as (update a set n = n + 1 returning 1)
       select pg_current_xact_id()::text as xid, 'a'::regclass::oid as oid, count(*) from x, y group by 1, 2`,
    )
    const own = (inserted: number): CarryInput['since'] => ({
      ...since,
      remembered: {
        taken: true,
        migrations: [
          { xid: it!.xid, tables: [{ oid: it!.oid, schema: 'public', name: 'a', inserted, updated: 0, deleted: 0 }] },
        ],
      },
    })
    expect(await tryCarry(await input({ since: own(1) }))).toMatchObject([
      {
        carried: 0,
        conflicting: 0,
        notFitting: 2,
        lost: 0,
        reasons: [{ why: 'were written by a migration', rows: 2 }],
      },
    ])
    expect(await tryCarry(await input({ since: own(0) }))).toMatchObject([{ carried: 2, conflicting: 0, lost: 0 }])
  })
})

describe('a carry that comes again', () => {
  const kept: { xid: string; pristine: string; tables: readonly CarriedTable[] }[] = []
  const record = (committed: () => boolean) => ({
    done: async () => (committed() ? kept.at(-1) : undefined),
    pristine: async () => kept[0]?.pristine,
    remember: async (xid: string, pristine: string, tables: readonly CarriedTable[]) => {
      kept.push({ xid, pristine, tables })
      return kept.at(-1)!
    },
  })

  test('finds that it was done, or replaces what it had put there by what is there by now', async () => {
    kept.length = 0
    await story(
      sessions,
      `insert into sessions (name) values ('c'); insert into messages (session, text) values (3, 'x')`,
    )
    await carryRows(
      await input(),
      record(() => false),
    )
    const [{ status } = { status: '' }] = await server.query<{ status: string }>(
      'postgres',
      `select pg_xact_status('${kept[0]!.xid}'::xid8) as status`,
    )
    expect(status).toBe('committed')
    expect(
      await carryRows(
        await input(),
        record(() => true),
      ),
    ).toBe(kept[0])
    await server.query(
      'app',
      `update messages set text = 'y' where id = 3; insert into messages (session, text) values (1, 'z')`,
    )
    expect(
      (
        await carryRows(
          await input(),
          record(() => false),
        )
      ).tables,
    ).toMatchObject([
      { table: 'messages', carried: 2, conflicting: 0 },
      { table: 'sessions', carried: 1, conflicting: 0 },
    ])
    expect(await rows(`select id || text as x from messages order by id`)).toEqual(['1old', '2older', '3y', '4z'])
  })

  test('leaves nothing where it is not remembered', async () => {
    await story(sessions, `insert into messages (session, text) values (1, 'x')`)
    const refusing = { ...record(() => false), pristine: async () => undefined }
    const remember = async () => Promise.reject(new Error('fenced'))
    await expect(carryRows(await input(), { ...refusing, remember })).rejects.toThrow('fenced')
    expect(await rows('select count(*)::text as x from messages')).toEqual(['2'])
  })
})

describe('the journal', () => {
  const mine = { target: 'shop', token: 1, id: '0000000a' }
  const withJournal = async <T>(work: (journal: Journal, oid: number) => Promise<T>): Promise<T> => {
    const made = createJournal({ exec: server.exec(), psqlUser: 'postgres' })
    expect(spawnSync('sh', ['-c', made], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
    const journal = await Journal.connect(address('stepback'))
    const [row] = await server.query<{ oid: number }>(there, `select oid from pg_database where datname = '${there}'`)
    await journal.raiseFence(mine)
    return await work(journal, row!.oid).finally(() => journal.end())
  }

  test('knows a carry by its transaction, and only one that was committed counts', async () => {
    await story(sessions, `insert into messages (session, text) values (1, 'x')`)
    await withJournal(async (journal, database) => {
      const record = {
        done: async () => (await journal.memory.carried({ ...mine, database })).at(-1)?.result,
        pristine: async () => (await journal.memory.carried({ ...mine, database }))[0]?.pristine,
        remember: async (xid: string, pristine: string, result: unknown) => {
          await journal.memory.rememberCarried({ ...mine, database, xid, pristine, result })
          return result
        },
      }
      const dies = {
        ...record,
        remember: async (...it: Parameters<typeof record.remember>) => Promise.reject(await record.remember(...it)),
      }
      await expect(carryRows(await input(), dies)).rejects.toBeDefined()
      expect(await journal.memory.carried({ ...mine, database })).toEqual([])
      const result = await carryRows(await input(), record)
      expect(result).toMatchObject([{ table: 'messages', carried: 1 }])
      expect(await carryRows(await input(), record)).toEqual(result)
      expect(await rows('select count(*)::text as x from messages')).toEqual(['3'])
      expect(await journal.memory.carriedInto({ target: 'shop', database: there })).toEqual(result)
      expect(await journal.memory.carried({ ...mine, database: database + 1 })).toEqual([])
    })
  })

  test('lets sessions in and out by the exact database, and neither under a token that is not in force', async () => {
    await story('', '')
    await withJournal(async (journal, oid) => {
      const open = async () =>
        (await server.query<{ x: boolean }>('app', `select datallowconn as x from pg_database where oid = ${oid}`))[0]!
          .x
      await journal.admit({ ...mine, name: there, oid, open: false })
      expect(await open()).toBe(false)
      await expect(journal.admit({ ...mine, name: there, oid: oid + 1, open: true })).rejects.toThrow('should have oid')
      await journal.raiseFence({ target: 'shop', token: 2 })
      await expect(journal.admit({ ...mine, name: there, oid, open: true })).rejects.toMatchObject({ type: 'Fenced' })
      expect(await open()).toBe(false)
      await journal.admit({ ...mine, token: 2, name: there, oid, open: true })
      expect(await open()).toBe(true)
      const carried = { ...mine, database: oid, xid: '1', pristine: '1:1:', result: null }
      await expect(journal.memory.rememberCarried(carried)).rejects.toMatchObject({ type: 'Fenced' })
    })
  })
})

test('nothing is remembered of a server that has no journal, and keys tell then', async () => {
  await story(sessions, `insert into messages (session, text) values (1, 'x')`)
  const other = { ...since.baseline, counters: { ...since.baseline.counters, postmasterStart: 'another' } }
  expect(await carry({ since: { baseline: other, remembered: nothingRemembered } })).toMatchObject([
    { method: 'key', carried: 1 },
  ])
})
