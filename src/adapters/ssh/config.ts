// What the SSH configuration of the machine says about a host: asked of OpenSSH itself, where the worker has it.
import { execFile } from 'node:child_process'
import { homedir, userInfo } from 'node:os'
import { StepbackError } from '../../plan/failure.js'
import { parsedConfig } from './parsed-config.js'

export interface HostQuery {
  /** A name or an address, as a person would give it to `ssh`. */
  readonly host: string
  readonly user?: string | undefined
  readonly port?: number | undefined
  /** In place of the user's own file and the machine's. */
  readonly configFile?: string | undefined
}

export interface HostSettings {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly identityFiles: readonly string[]
  readonly identitiesOnly: boolean
  readonly agentSocket: string | undefined
  readonly hostKeyAlias: string | undefined
  readonly knownHostsFiles: readonly string[]
  readonly proxyJump: string | undefined
  readonly proxyCommand: string | undefined
}

/** The words of the configuration by their keys in lower case, as `ssh -G` prints them. */
export type ConfigLines = ReadonlyMap<string, readonly string[]>

/** `InvalidConfiguration` for a file that OpenSSH would not take. `program` is `ssh` but in tests. */
export async function hostSettings(query: HostQuery, program = 'ssh'): Promise<HostSettings> {
  const lines = (await askOpenSsh(query, program)) ?? parsedConfig(query)
  return settingsOf(lines, query)
}

// Undefined where there is no such program.
function askOpenSsh(query: HostQuery, program: string): Promise<ConfigLines | undefined> {
  const argv = [
    '-T',
    '-G',
    ...(query.configFile ? ['-F', query.configFile] : []),
    ...(query.user ? ['-l', query.user] : []),
    ...(query.port ? ['-p', String(query.port)] : []),
    '--',
    query.host,
  ]
  return new Promise((resolve, reject) => {
    // A `Match exec` of the configuration may hang.
    const child = execFile(program, argv, { timeout: 20_000 }, (error, stdout, stderr) => {
      if (!error) return resolve(linesOf(stdout))
      if (error.code === 'ENOENT') return resolve(undefined)
      reject(unreadable(query, stderr.trim() || error.message))
    })
    child.stdin?.end()
  })
}

function linesOf(text: string): ConfigLines {
  const lines = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [, key, value] = /^(\S+) (.*)$/.exec(line) ?? []
    if (key && value) lines.set(key, [...(lines.get(key) ?? []), value])
  }
  return lines
}

function unreadable(query: HostQuery, why: string): StepbackError {
  const command = ['ssh', '-G', ...(query.configFile ? ['-F', `'${query.configFile}'`] : []), query.host].join(' ')
  return new StepbackError({
    type: 'InvalidConfiguration',
    message: `the SSH configuration for '${query.host}' cannot be read: ${why}`,
    hint: `mend it until this works: ${command}`,
  })
}

function settingsOf(lines: ConfigLines, query: HostQuery): HostSettings {
  const one = (key: string) => unlessNone(lines.get(key)?.[0])
  const host = (one('hostname') ?? query.host).replace(/^\[(.*)\]$/, '$1')
  const port = Number(one('port') ?? 22)
  const user = one('user') ?? ownAccount().username
  const tokens = tokensOf({ host, port, user, original: query.host })
  const files = (key: string) => (lines.get(key) ?? []).filter(unlessNone).map((file) => expanded(file, tokens))
  return {
    host,
    port,
    user,
    identityFiles: files('identityfile'),
    identitiesOnly: one('identitiesonly') === 'yes',
    agentSocket: agentSocket(lines.get('identityagent')?.[0], tokens),
    hostKeyAlias: one('hostkeyalias'),
    knownHostsFiles: ['userknownhostsfile', 'globalknownhostsfile']
      .flatMap((key) => (lines.get(key) ?? []).flatMap(separated))
      .filter(unlessNone)
      .map((file) => expanded(file, tokens)),
    proxyJump: one('proxyjump'),
    proxyCommand: one('proxycommand'),
  }
}

// `ssh -G` prints several files on one line, unquoted: a path with spaces is told apart by where the next one begins.
function separated(paths: string): string[] {
  return paths.split(/ +(?=[/~])/)
}

function unlessNone(value: string | undefined): string | undefined {
  return value?.toLowerCase() === 'none' ? undefined : value
}

function agentSocket(value: string | undefined, tokens: Tokens): string | undefined {
  const usual = process.env['SSH_AUTH_SOCK'] || undefined
  if (value === undefined || value === 'SSH_AUTH_SOCK') return usual
  if (/^\$[A-Za-z_]/.test(value)) return process.env[value.slice(1)] || undefined
  return unlessNone(value) && expanded(value, tokens)
}

type Tokens = Readonly<Record<string, string>>

function tokensOf(input: { host: string; port: number; user: string; original: string }): Tokens {
  const { uid, username } = ownAccount()
  const { host, port, user, original } = input
  return { '%': '%', d: homedir(), h: host, i: String(uid), n: original, p: String(port), r: user, u: username }
}

/** Containers run under numbers that no account has. */
function ownAccount(): { readonly uid: number; readonly username: string } {
  try {
    return userInfo()
  } catch {
    const uid = process.getuid?.() ?? 0
    return { uid, username: process.env['USER'] ?? String(uid) }
  }
}

function expanded(path: string, tokens: Tokens): string {
  return path
    .replace(/^~(?=\/)/, () => homedir())
    .replaceAll(/\$\{(\w+)\}/g, (all, name: string) => process.env[name] ?? all)
    .replaceAll(/%(.)/g, (all, token: string) => tokens[token] ?? all)
}
