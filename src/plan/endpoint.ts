import { StepbackError } from './failure.js'

export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** What `docker inspect` says about how a container is reached. */
export interface Inspected {
  readonly Config: { readonly Env?: readonly string[] | null }
  readonly HostConfig: { readonly NetworkMode?: string }
  readonly NetworkSettings: {
    readonly Ports?: Readonly<Record<string, readonly Binding[] | null>> | null
    readonly Networks?: Readonly<Record<string, Attached>> | null
  }
}

interface Binding {
  readonly HostIp: string
  readonly HostPort: string
}

interface Attached {
  readonly IPAddress?: string
  readonly GlobalIPv6Address?: string
}

/** As the container's programs find it. */
export function variable({ Config }: Pick<Inspected, 'Config'>, name: string): string | undefined {
  return Config.Env?.find((it) => it.startsWith(`${name}=`))?.slice(name.length + 1)
}

/** Where a database's server may be reached from its host, the published ports first: those were meant to be used. */
export function endpoints(container: Inspected): Endpoint[] {
  const port = Number(variable(container, 'PGPORT') ?? 5432)
  const { Networks } = container.NetworkSettings
  const addresses = Object.values(Networks ?? {}).flatMap((it) => [it.IPAddress, it.GlobalIPv6Address])
  const inside = addresses.filter((it) => it !== undefined && it !== '').map((host) => ({ host: host!, port }))
  const shared = container.HostConfig.NetworkMode === 'host' ? [{ host: '127.0.0.1', port }] : []
  return [...bindings(container, `${port}/tcp`), ...shared, ...inside]
}

/** Where each of its published TCP ports is reached from the host, by IPv4 where that is one way. */
export function published(container: Inspected): Endpoint[] {
  const ports = Object.keys(container.NetworkSettings.Ports ?? {}).filter((it) => it.endsWith('/tcp'))
  return ports.flatMap((port) => {
    const all = bindings(container, port)
    return all.find((it) => !it.host.includes(':')) ?? []
  })
}

function bindings({ NetworkSettings }: Inspected, port: string): Endpoint[] {
  const all = NetworkSettings.Ports?.[port] ?? []
  return all.map((it) => ({ host: fromTheHost(it.HostIp), port: Number(it.HostPort) }))
}

/** A port that is published everywhere is dialled on the loopback of the same kind. */
function fromTheHost(address: string): string {
  if (address === '' || address === '0.0.0.0') return '127.0.0.1'
  return address === '::' ? '::1' : address
}

/** Docker Desktop, or a network that the host has no part in: only a published port leads there. */
export function unreachable(service: string, tried: readonly Endpoint[]): StepbackError {
  const where = tried.map(({ host, port }) => `${host} port ${port}`).join(', ')
  return new StepbackError({
    type: 'Refused',
    message: `the database of service "${service}" cannot be reached from its host${where === '' ? '' : `: nothing answers at ${where}`}`,
    hint: `publish its port: add the line \`ports: ["127.0.0.1:5432:5432"]\` to service "${service}" in the compose file and recreate it, or name a port that leads there in database.port.`,
  })
}
