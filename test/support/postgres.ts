// A throw-away PostgreSQL on a free port of the loopback, stopped by its own process id.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'

export interface TestPostgres {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  /** The server's programs. */
  readonly bin: string
  /** Its data directory. */
  readonly data: string
  /** In place of `docker exec …`: the same programs, reached over the loopback. */
  exec(applicationName?: string): readonly string[]
  query<T = Record<string, unknown>>(database: string, text: string, values?: readonly unknown[]): Promise<readonly T[]>
  /** Stops it in good order, does something to its data directory, and starts it again on the same port. */
  restart(
    meanwhile: (at: { readonly data: string; run(program: string, ...words: string[]): void }) => void,
  ): Promise<void>
  /** Ends it without a farewell, as `immediate` does, and starts it again: every session dies, and it recovers. */
  crash(): Promise<void>
  /** One of its processes dies, and it recovers, which keeps everybody out, for as long as the work takes. */
  recovering<T>(work: () => Promise<T>): Promise<T>
  stop(): Promise<void>
}

/** `inside`: where its data lies, such as a small file system; not its log, on which a full disk would end it. */
export async function startPostgres(inside = tmpdir()): Promise<TestPostgres> {
  const bin = findPrograms()
  const directory = mkdtempSync(join(tmpdir(), 'stepback-postgres-'))
  const owner = process.getuid?.() === 0 ? idsOf('postgres') : undefined
  const apart = inside !== tmpdir()
  const place = apart ? mkdtempSync(join(inside, 'stepback-postgres-')) : directory
  if (owner) for (const made of [directory, place]) chownSync(made, owner.uid, owner.gid)
  const data = join(place, 'data')
  execFileSync(
    join(bin, 'initdb'),
    [
      '-D',
      data,
      ...(apart ? ['-X', join(directory, 'log')] : []),
      '-U',
      'postgres',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--locale=C.UTF-8',
      '-N',
    ],
    {
      ...owner,
      cwd: directory,
      stdio: 'pipe',
    },
  )
  const port = await freePort()
  const start = () =>
    spawn(join(bin, 'postgres'), serverArguments({ data, directory, port }), {
      ...owner,
      cwd: directory,
      stdio: 'ignore',
    })
  const run = (program: string, ...words: string[]) =>
    void execFileSync(program, words, { ...owner, cwd: directory, stdio: 'pipe' })
  let server = start()
  const access = { host: '127.0.0.1', port, user: 'postgres', password: 'unused' }
  const system = { ...access, database: 'postgres' }
  await untilReady(access, server)
  return {
    ...access,
    bin,
    data,
    exec: (applicationName = 'test') => [
      'env',
      'PGHOST=127.0.0.1',
      `PGPORT=${port}`,
      `PGAPPNAME=${applicationName}`,
      `PATH=${bin}:/usr/bin:/bin`,
    ],
    query: (database, text, values) => query({ ...access, database }, text, values),
    restart: async (meanwhile) => {
      await end(server, 'SIGINT')
      meanwhile({ data, run })
      server = start()
      await untilReady(access, server)
    },
    crash: async () => {
      await end(server, 'SIGQUIT')
      server = start()
      await untilReady(access, server)
    },
    recovering: async (work) => {
      const hold = join(directory, 'hold')
      // What it asks for its log first, and that has none.
      const ask = `while [ -e ${hold} ]; do sleep 0.1; done; false`
      run('touch', hold, join(data, 'recovery.signal'))
      await query(system, `alter system set restore_command = '${ask}'`)
      await query(system, 'select pg_reload_conf()')
      const [checkpointer] = await query<{ pid: number }>(
        system,
        `select pid from pg_stat_activity where backend_type = 'checkpointer'`,
      )
      process.kill(checkpointer!.pid, 'SIGKILL')
      try {
        await untilTurnedAway(access)
        return await work()
      } finally {
        rmSync(hold)
        await untilReady(access, server)
      }
    },
    stop: async () => {
      await end(server, 'SIGQUIT')
      for (const made of [directory, place]) rmSync(made, { recursive: true, force: true })
    },
  }
}

function serverArguments(input: { data: string; directory: string; port: number }): string[] {
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${input.port}`,
    `unix_socket_directories=${input.directory}`,
    'max_prepared_transactions=4',
    'max_connections=60',
    'shared_buffers=32MB',
    'fsync=off',
  ]
  return ['-D', input.data, ...settings.flatMap((setting) => ['-c', setting])]
}

async function query<T>(access: pg.ClientConfig, text: string, values?: readonly unknown[]): Promise<readonly T[]> {
  const client = new pg.Client(access)
  // Tests end sessions; what this one then hears must not end the process.
  client.on('error', () => {})
  await client.connect()
  try {
    const result = await client.query(text, values ? [...values] : [])
    return result.rows as T[]
  } finally {
    await client.end()
  }
}

async function untilReady(access: pg.ClientConfig, server: ChildProcess): Promise<void> {
  for (let round = 0; round < 200; round++) {
    if (server.exitCode !== null) throw new Error(`postgres ended with ${server.exitCode} before it was ready`)
    try {
      await query({ ...access, database: 'postgres' }, 'select 1')
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  throw new Error('postgres was not ready after 10 s')
}

async function untilTurnedAway(access: pg.ClientConfig): Promise<void> {
  for (let round = 0; round < 200; round++) {
    const error = await query({ ...access, database: 'postgres' }, 'select 1').catch((it: unknown) => it)
    if ((error as { readonly code?: string }).code === '57P03') return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('postgres did not recover for long enough to be seen')
}

async function end(server: ChildProcess, signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
  if (server.exitCode !== null) return
  const ended = new Promise((resolve) => server.once('exit', resolve))
  server.kill(signal)
  await ended
}

function findPrograms(): string {
  const packaged = '/usr/lib/postgresql'
  const versions = existsSync(packaged) ? readdirSync(packaged).toSorted((a, b) => Number(b) - Number(a)) : []
  const places = [
    ...versions.map((version) => join(packaged, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(':'),
  ]
  const found = places.find((place) => existsSync(join(place, 'initdb')) && existsSync(join(place, 'postgres')))
  if (!found) throw new Error('no initdb found in /usr/lib/postgresql/*/bin or PATH; install the PostgreSQL server')
  return found
}

function idsOf(user: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** A port before the server that lets a statement through and swallows its answer, from the `skip`-th such one on. */
export async function dropAnswer(
  server: TestPostgres,
  statement: RegExp,
  skip = 0,
): Promise<{ readonly port: number; close(): void }> {
  const sockets: Socket[] = []
  let seen = 0
  const proxy = createServer((client) => {
    const upstream = connect(server.port, server.host)
    sockets.push(client, upstream)
    let lost = false
    client.on('error', () => {})
    upstream.on('error', () => {})
    client.on('data', (data) => {
      // A simple query: 'Q', a length, the text, NUL. Anything longer comes whole as well from these clients.
      const text = data[0] === 0x51 ? data.subarray(5, -1).toString() : ''
      lost ||= statement.test(text) && seen++ >= skip
      upstream.write(data)
    })
    upstream.on('data', (data) => (lost ? client.destroy() : client.write(data)))
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = proxy.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close: () => {
      proxy.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
