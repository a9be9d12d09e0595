// The SSH configuration as a library reads it, for a worker without OpenSSH.
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import SSHConfig from 'ssh-config'
import { StepbackError } from '../../plan/failure.js'
import type { ConfigLines, HostQuery } from './config.js'

/** The settings of one host, with OpenSSH's defaults. What the library would read otherwise than OpenSSH is refused. */
export function parsedConfig(query: HostQuery): ConfigLines {
  const config = SSHConfig.parse(textOf(query))
  refuseWhatNeedsOpenSsh(config, query)
  const { host, ...asked } = askedOf(query)
  const found = Object.entries(config.compute({ Host: host }, { ignoreCase: true, matchExec: false }))
  const lines = found.map(([key, value]) => [key, Array.isArray(value) ? value : [value]] as const)
  return new Map<string, readonly string[]>([...defaults(), ['hostname', [host]], ...lines, ...Object.entries(asked)])
}

// As `ssh` takes it: a user may stand before the host. What stands in stepback.yaml wins.
function askedOf(query: HostQuery) {
  const [, userBefore, host = query.host] = /^(?:(.*)@)?(.*)$/.exec(query.host) ?? []
  const user = query.user ?? userBefore
  return { host, ...(user ? { user: [user] } : {}), ...(query.port ? { port: [String(query.port)] } : {}) }
}

function defaults(): [string, string[]][] {
  const own = (name: string) => join(homedir(), '.ssh', name)
  return [
    ['identityfile', ['id_rsa', 'id_ecdsa', 'id_ed25519'].map(own)],
    ['userknownhostsfile', [own('known_hosts'), own('known_hosts2')]],
    ['globalknownhostsfile', ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']],
  ]
}

// The machine's own file belongs to OpenSSH, which is not here.
function textOf({ configFile, host }: HostQuery): string {
  const file = configFile ?? join(homedir(), '.ssh', 'config')
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if (!configFile && (cause as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw new StepbackError({
      type: 'InvalidConfiguration',
      message: `the SSH configuration '${file}' for '${host}' cannot be read: ${(cause as Error).message}`,
      hint: `ls -l '${file}'`,
      cause,
    })
  }
}

function refuseWhatNeedsOpenSsh(config: SSHConfig, { host }: HostQuery): void {
  const needs = /^(include|match|canonicalizehostname)$/i
  const lines = config.flatMap((line) => ('config' in line ? [line, ...line.config] : [line]))
  const found = lines.map((line) => ('param' in line ? line.param : '')).find((param) => needs.test(param))
  if (!found) return
  throw new StepbackError({
    type: 'InvalidConfiguration',
    message: `'${found}' in the SSH configuration for '${host}' can only be read by OpenSSH, which is not here`,
    hint: 'install OpenSSH beside the worker, or name a file without it in ssh.config',
  })
}
