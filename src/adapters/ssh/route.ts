// The way to a target: what stepback.yaml says wins over the SSH configuration, and every ProxyJump is a hop.
import type { Target } from '../../config/schema.js'
import { StepbackError } from '../../plan/failure.js'
import { hostSettings } from './config.js'
import type { HostQuery, HostSettings } from './config.js'
import type { HopOptions, SshOptions } from './hop.js'

/** OpenSSH itself knows no bound, and a name that jumps through itself would never end. */
const maxHops = 8

/** Where to connect, with what, and through which hops; resolved anew for every connection. */
export async function routeTo(target: Pick<Target, 'name' | 'ssh'>): Promise<SshOptions> {
  const { ssh, name } = target
  const { host, port, user, config: configFile } = ssh
  const query = { host, port, user, configFile }
  const settings = await hostSettings(query)
  refuseProxyCommand(settings, host)
  const via = await hopsOf({ jumps: settings.proxyJump, alias: host, configFile, found: 0 })
  const last = { ...hopOptions(settings, query), ...(ssh.identityFile ? { identityFile: ssh.identityFile } : {}) }
  const given = {
    ...(name === '' ? {} : { target: name }), // nothing is called so yet
    ...(ssh.passphrase ? { passphrase: ssh.passphrase } : {}),
    ...(ssh.knownHosts ? { knownHostsFiles: ssh.knownHosts } : {}),
  }
  return { ...last, ...given, via: via.map((hop) => ({ ...hop, ...given })) }
}

// The first of a list may have hops of its own; the others are reached through the one before them.
async function hopsOf(input: {
  readonly jumps: string | undefined
  readonly alias: string
  readonly configFile: string | undefined
  readonly found: number
}): Promise<HopOptions[]> {
  if (!input.jumps) return []
  const { alias, configFile } = input
  const queries = input.jumps.split(',').map((word) => ({ ...hopQuery(word, alias), configFile }))
  const found = input.found + queries.length
  if (found > maxHops) throw tooFar(alias)
  const settings = await Promise.all(queries.map((query) => hostSettings(query)))
  const [first] = settings
  if (first) refuseProxyCommand(first, queries[0]!.host)
  const before = await hopsOf({ jumps: first?.proxyJump, alias, configFile, found })
  return [...before, ...settings.map((it, index) => hopOptions(it, queries[index]!))]
}

function hopQuery(word: string, alias: string): HostQuery {
  const [, user, bracketed, plain, port] =
    /^(?:ssh:\/\/)?(?:(.*)@)?(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(word.trim()) ?? []
  const host = bracketed ?? plain
  if (host) return { host, user, port: port ? Number(port) : undefined }
  throw new StepbackError({
    type: 'InvalidConfiguration',
    message: `'${word}' in the ProxyJump of '${alias}' is no [user@]host[:port]`,
    hint: `ssh -G ${alias} | grep proxyjump`,
  })
}

function hopOptions(settings: HostSettings, query: HostQuery): HopOptions {
  const { host, port, user, identityFiles, identitiesOnly, agentSocket, hostKeyAlias, knownHostsFiles } = settings
  return {
    alias: query.host,
    host,
    port,
    user,
    identityFiles,
    identitiesOnly,
    knownHostsFiles,
    ...(agentSocket ? { agentSocket } : {}),
    ...(hostKeyAlias ? { hostKeyAlias } : {}),
  }
}

function refuseProxyCommand(settings: HostSettings, alias: string): void {
  if (settings.proxyCommand === undefined) return
  throw new StepbackError({
    type: 'InvalidConfiguration',
    message: `'${alias}' is reached by a ProxyCommand in the SSH configuration, which stepback does not run`,
    hint: 'write it as ProxyJump, or name another file in ssh.config',
  })
}

function tooFar(alias: string): StepbackError {
  return new StepbackError({
    type: 'InvalidConfiguration',
    message: `'${alias}' is more than ${maxHops} hops away: does a ProxyJump lead through itself?`,
    hint: `ssh -G ${alias} | grep proxyjump; a jump host under 'Host *' needs 'ProxyJump none' of its own`,
  })
}
