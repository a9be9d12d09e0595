import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { Tools } from './install/index.js'
import type { SandboxPaths } from './paths.js'
import { answers } from './ports.js'
import { type OwnProcess, findProcess, startProcess } from './processes.js'
import { run, waitFor } from './run.js'
import { writeFile } from './state.js'

export interface SshFacts {
  readonly identityFile: string
  readonly knownHosts: string
  readonly user: string
}

export function sshFacts(paths: SandboxPaths): SshFacts {
  return {
    identityFile: join(paths.ssh, 'id_ed25519'),
    knownHosts: join(paths.ssh, 'known_hosts'),
    user: userInfo().username,
  }
}

/** An SSH server of the sandbox's own: one key opens it, and its sessions reach the sandbox's engine. */
export async function startSshd(input: {
  readonly paths: SandboxPaths
  readonly tools: Pick<Tools, 'sshd' | 'sshKeygen'>
  readonly port: number
  readonly variables: Record<string, string>
  readonly known: OwnProcess | undefined
}): Promise<OwnProcess> {
  const { paths, tools, port } = input
  const found = await findProcess(input.known)
  if (found) return found
  mkdirSync(paths.ssh, { recursive: true, mode: 0o700 })
  const hostKey = join(paths.ssh, 'host_ed25519')
  await makeKey(tools.sshKeygen, hostKey)
  await makeKey(tools.sshKeygen, sshFacts(paths).identityFile)
  writeFile(join(paths.ssh, 'authorized_keys'), publicKey(sshFacts(paths).identityFile))
  writeFile(sshFacts(paths).knownHosts, `[127.0.0.1]:${port} ${publicKey(hostKey)}`)
  writeFile(join(paths.ssh, 'sshd_config'), sshdConfig(paths, port, input.variables))
  const log = join(paths.logs, 'sshd.log')
  const command = [tools.sshd, '-D', '-e', '-f', join(paths.ssh, 'sshd_config')]
  const started = await startProcess({ command, log })
  await waitFor(`sshd (see ${log})`, () => answers(port), { timeoutMs: 10_000 })
  return started
}

async function makeKey(sshKeygen: string, file: string): Promise<void> {
  if (!existsSync(file)) await run([sshKeygen, '-q', '-t', 'ed25519', '-N', '', '-C', 'stepback-sandbox', '-f', file])
}

function publicKey(file: string): string {
  return readFileSync(`${file}.pub`, 'utf8')
}

function sshdConfig(paths: SandboxPaths, port: number, variables: Record<string, string>): string {
  // SHLVL: bash takes a session for a shell within a shell, and leaves the start-up file of whoever works here alone.
  const set = Object.entries({ ...variables, SHLVL: '2' }).map(([name, value]) => `"${name}=${value}"`)
  return [
    'ListenAddress 127.0.0.1',
    `Port ${port}`,
    `HostKey ${quoted(join(paths.ssh, 'host_ed25519'))}`,
    `PidFile ${quoted(join(paths.ssh, 'sshd.pid'))}`,
    `AuthorizedKeysFile ${quoted(join(paths.ssh, 'authorized_keys').replaceAll('%', '%%'))}`,
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    // PAM may set limits and print messages of the machine's own; without it a locked account is refused
    `UsePAM ${isLocked() ? 'yes' : 'no'}`,
    // a checkout may lie where others of the group can write
    'StrictModes no',
    'UseDNS no',
    'AllowTcpForwarding yes',
    'MaxSessions 100',
    'MaxStartups 200',
    'Subsystem sftp internal-sftp',
    // one line: only the first SetEnv counts
    `SetEnv ${set.join(' ')}`,
    '',
  ].join('\n')
}

/** A word of sshd_config; a sandbox may lie in a directory with spaces and quotes. */
function quoted(word: string): string {
  return `"${word.replaceAll(/["\\]/g, '\\$&')}"`
}

function isLocked(): boolean {
  try {
    const { username } = userInfo()
    const line = readFileSync('/etc/shadow', 'utf8')
      .split('\n')
      .find((it) => it.startsWith(`${username}:`))
    return line?.split(':')[1]?.startsWith('!') ?? false
  } catch {
    return false
  }
}
