// Histories from wherever they are: the server first, then the files that a worker of this machine has kept.

import type { Client } from '@temporalio/client'
import { WorkflowNotFoundError } from '@temporalio/client'
import { defaultDataConverter } from '@temporalio/common'
import type { Archive, ArchivedRun } from './archive.js'
import { type RunHistory, readHistory } from './run-history.js'

export interface Found {
  readonly histories: readonly RunHistory[]
  /** Those that are damaged, or were forgotten meanwhile. */
  readonly unreadable: readonly string[]
}

/** Without a client only what is kept. */
export class Histories {
  constructor(
    private readonly client: Client | null,
    private readonly taskQueue: string,
    private readonly archive: Archive,
  ) {}

  /** The newest run of that workflow id; nothing where nobody knows it any more. */
  async newest(run: string): Promise<RunHistory | undefined> {
    return (await this.#fromServer(run)) ?? (await this.#fromArchive(run))
  }

  /** Every run of the target, newest first, but for those of these run ids. */
  async of(target: string, except: ReadonlySet<string> = new Set()): Promise<Found> {
    const known = new Map<string, ArchivedRun>()
    for (const it of await this.archive.list()) known.set(it.runId, it)
    for await (const it of this.#onServer()) known.set(it.runId, it)
    const histories: RunHistory[] = []
    const unreadable: string[] = []
    for (const it of known.values()) {
      if (except.has(it.runId)) continue
      const history = await this.#read(it).catch(() => void unreadable.push(`${it.run} (${it.runId})`))
      if (history?.target === target) histories.push(history)
    }
    return { histories: histories.toSorted(newestFirst), unreadable }
  }

  async *#onServer(): AsyncGenerator<ArchivedRun> {
    if (!this.client) return
    const query = `TaskQueue = "${this.taskQueue}"`
    for await (const { workflowId: run, runId, type } of this.client.workflow.list({ query })) {
      if (type !== 'notifyWorkflow') yield { run, runId }
    }
  }

  async #read(it: ArchivedRun): Promise<RunHistory> {
    const kept = this.archive.has(it)
    const history = kept
      ? await this.archive.read(it)
      : await this.client!.workflow.getHandle(it.run, it.runId).fetchHistory()
    return await readHistory({ ...it, history }, this.#converter)
  }

  async #fromServer(run: string): Promise<RunHistory | undefined> {
    if (!this.client) return undefined
    try {
      const handle = this.client.workflow.getHandle(run)
      const { runId } = await handle.describe()
      return await readHistory({ run, runId, history: await handle.fetchHistory() }, this.#converter)
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined
      throw error
    }
  }

  async #fromArchive(run: string): Promise<RunHistory | undefined> {
    const kept = await Promise.all((await this.archive.list(run)).map((it) => this.#read(it)))
    return kept.toSorted(newestFirst)[0]
  }

  get #converter() {
    return this.client?.options.loadedDataConverter ?? defaultDataConverter
  }
}

function newestFirst(one: RunHistory, other: RunHistory): number {
  return one.startedAt < other.startedAt ? 1 : -1
}
