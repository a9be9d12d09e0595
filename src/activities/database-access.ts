// How a step reaches the database: the container's own programs for host jobs, a tunnel for transactions.

import type { Journal } from '../adapters/database.js'
import { composeArgv } from '../commands/compose.js'
import { inspectedContainer } from '../commands/observe.js'
import { sessionName } from '../commands/database/names.js'
import type { DatabaseAccess } from '../commands/database/programs.js'
import { recoversWithinSeconds } from '../commands/database/restart.js'
import type { DatabaseConfig, Target } from '../config/schema.js'
import { StepbackError } from '../plan/failure.js'
import type { DatabaseAddress } from '../adapters/database.js'
import type { SshConnection } from '../adapters/ssh.js'
import type { Endpoint } from '../plan/endpoint.js'
import { composeStack } from './context.js'
import { type CredentialSource, databaseLogin } from './credentials.js'
import { databaseEndpoint } from './database-endpoint.js'
import type { Deps } from './deps.js'
import {
  type InspectedContainer,
  type Looker,
  foundBefore,
  inspectContainers,
  parseInspect,
  runningOf,
} from './observe/containers.js'
import { together } from './together.js'

/** Whoever may reach a database: an act with its token, or a look with none. */
export interface DatabaseUser {
  readonly deps: Deps
  readonly target: Target
  readonly ssh: SshConnection
  readonly token: number
  look(script: string): Promise<string>
  readonly inspected?: Looker['inspected']
  readonly environment?: CredentialSource['environment']
}

/** The database's section of the configuration; acts on a target without one were never planned. */
export function databaseOf(target: Target): DatabaseConfig {
  if (target.database) return target.database
  throw new StepbackError({ type: 'Refused', message: `target "${target.name}" has no database in the configuration` })
}

/** For host jobs. `what` becomes part of the session's name, by which a job's sessions are ended from outside. */
export async function databaseAccess(
  user: DatabaseUser,
  what: string,
): Promise<{ readonly access: DatabaseAccess; readonly applicationName: string }> {
  const [container, login] = await together([databaseContainer(user), databaseLogin(user)])
  const applicationName = sessionName({ target: user.target.name, token: user.token, what })
  const exec = ['docker', 'exec', '-i', '-u', 'postgres', '-e', `PGAPPNAME=${applicationName}`, container.Id]
  return { access: { exec, psqlUser: login.user, container: container.Id }, applicationName }
}

/** For what may outlive the container: the stack's own way to it, which a recreated one answers as well. */
export async function lastingAccess(user: DatabaseUser): Promise<DatabaseAccess> {
  const { user: psqlUser } = await databaseLogin(user)
  const { service } = databaseOf(user.target)
  return { exec: composeArgv(composeStack(user.target), 'exec', '-T', '-u', 'postgres', service), psqlUser }
}

/** Opens a tunnel for as long as the work takes. The address leads to the live database unless another is named. */
export async function withTunnel<T>(
  user: DatabaseUser,
  what: string,
  work: (address: DatabaseAddress) => Promise<T>,
): Promise<T> {
  const config = databaseOf(user.target)
  const [login, endpoint] = await Promise.all([databaseLogin(user), endpointOf(user)])
  const tunnel = await user.ssh.tunnel(endpoint)
  try {
    return await work({
      host: '127.0.0.1',
      port: tunnel.port,
      user: login.user,
      password: login.password.reveal(),
      database: config.name,
      applicationName: sessionName({ target: user.target.name, token: user.token, what }),
      // A plan says what it finds; what was begun is not given up for a server that is on its way.
      ...(user.token > 0 ? { recoversWithinMs: recoversWithinSeconds * 1_000 } : {}),
    })
  } finally {
    await tunnel.close()
  }
}

/** The same way to the same database, as the role of the migrations. */
export async function asMigrations(user: DatabaseUser, address: DatabaseAddress): Promise<DatabaseAddress> {
  if (!databaseOf(user.target).admin) return address
  const login = await databaseLogin(user, 'migrations')
  return { ...address, user: login.user, password: login.password.reveal() }
}

/** The same with a connection to the journal, whose row says whether this token is still in force. */
export async function withJournal<T>(
  user: DatabaseUser,
  what: string,
  work: (journal: Journal, address: DatabaseAddress) => Promise<T>,
): Promise<T> {
  return await withTunnel(user, what, (address) => withJournalAt(user, address, (journal) => work(journal, address)))
}

/** The same through a tunnel that is open already. */
export async function withJournalAt<T>(
  user: DatabaseUser,
  address: DatabaseAddress,
  work: (journal: Journal) => Promise<T>,
): Promise<T> {
  const applicationName = `${address.applicationName}:j`
  const journal = await user.deps.database.Journal.connect({ ...address, applicationName })
  try {
    return await work(journal)
  } finally {
    await journal.end()
  }
}

/** As Docker describes it now; the one that was found last is asked about by itself. */
export async function databaseContainer(user: DatabaseUser): Promise<InspectedContainer> {
  if (user.inspected) return runningAmong(user, await user.inspected())
  const known = foundBefore(user.ssh)
  const id = known.get(user.target.name)
  const [same] = id === undefined ? [] : parseInspect(await user.look(inspectedContainer(id)))
  const container = same?.State.Running ? same : runningAmong(user, await inspectContainers(user))
  known.set(user.target.name, container.Id)
  return container
}

function runningAmong(user: DatabaseUser, containers: readonly InspectedContainer[]): InspectedContainer {
  const { service } = databaseOf(user.target)
  const container = runningOf(containers, service)
  if (container) return container
  throw new StepbackError({
    type: 'Unreachable',
    message: `the container of database service "${service}" does not run`,
    hint: 'start the database.',
  })
}

async function endpointOf(user: DatabaseUser): Promise<Endpoint> {
  const { port, service } = databaseOf(user.target)
  if (port !== undefined) return { host: '127.0.0.1', port }
  return await databaseEndpoint(user.ssh, service, await databaseContainer(user))
}
