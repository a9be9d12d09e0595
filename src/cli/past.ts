// Where the past is read: the target's audit record, Temporal, and the histories that a worker has kept here.

import { StepbackClient } from '../client.js'
import { Archive } from '../client/archive.js'
import { Histories } from '../client/histories.js'
import { findTarget } from '../config/load.js'
import type { Config } from '../config/schema.js'
import { withDeps } from './with-deps.js'
import type { Io } from './io.js'
import { visible } from './view/visible.js'

/** What is kept outlives the server, so one that is away is said and no more. */
export async function withHistories<T>(config: Config, io: Io, look: (histories: Histories) => Promise<T>): Promise<T> {
  const { taskQueue, histories: directory } = config.temporal
  const client = await StepbackClient.connect(config.temporal).catch((error: Error) => {
    io.say(`without Temporal: ${visible(error.message.split('\n')[0]!)}`)
    return null
  })
  try {
    return await look(client?.histories(directory) ?? new Histories(null, taskQueue, new Archive(directory)))
  } finally {
    await client?.close()
  }
}

export async function readRecord(config: Config, target: string) {
  return await withDeps(config, target, (deps) => deps.hosts.host(findTarget(config, target)).readAudit())
}
