// Histories of finished runs, kept as files for longer than Temporal keeps them: `temporal workflow show --output json`
// prints the same, and the replayer reads it.

import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import type { History } from './run-history.js'

export interface ArchivedRun {
  readonly run: string
  readonly runId: string
}

export class Archive {
  constructor(readonly directory: string) {}

  has(it: ArchivedRun): boolean {
    return existsSync(this.#path(it))
  }

  /** By rename, so that nobody ever reads half of one. */
  async keep(it: ArchivedRun, history: History): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 })
    const path = this.#path(it)
    await writeFile(`${path}.${process.pid}.part`, await promisify(gzip)(historyToJSON(history)), { mode: 0o600 })
    await rename(`${path}.${process.pid}.part`, path)
  }

  async read(it: ArchivedRun): Promise<History> {
    const json = await promisify(gunzip)(await readFile(this.#path(it)))
    return historyFromJSON(JSON.parse(json.toString('utf8')))
  }

  /** Those of one workflow id, or all; none where nothing was ever kept here. */
  async list(run?: string): Promise<ArchivedRun[]> {
    const names = await readdir(this.directory).catch(() => [])
    const runs = names.flatMap((name) => {
      const [, encoded, runId] = /^(.+)\.([^.]+)\.json\.gz$/.exec(name) ?? []
      return encoded === undefined || runId === undefined ? [] : [{ run: decodeURIComponent(encoded), runId }]
    })
    return run === undefined ? runs : runs.filter((it) => it.run === run)
  }

  /** A workflow's id may be any text, of any length; run ids are unique by themselves. */
  #path({ run, runId }: ArchivedRun): string {
    return join(this.directory, `${encodeURIComponent(run).slice(0, 180).replace(/%.?$/, '')}.${runId}.json.gz`)
  }
}
