// The Temporal server, its namespace, and who works there.

import { type ConnectTo, type ServerFacts, StepbackClient } from '../../client.js'
import type { Finding } from '../../plan/facts.js'
import { findingOr } from './finding.js'

type Server = Pick<StepbackClient, 'address' | 'namespace' | 'taskQueue' | 'means'> & {
  readonly facts: ServerFacts
  readonly workers: number
}

export async function examineTemporal(to: ConnectTo | undefined): Promise<Finding[]> {
  return await findingOr('temporal', async () => {
    const client = await StepbackClient.connect(to)
    try {
      const facts = await client.server()
      const { address, namespace, taskQueue, means } = client
      const workers = facts.retentionMs === null ? 0 : await client.workers()
      return temporalFindings({ address, namespace, taskQueue, means, facts, workers })
    } finally {
      await client.close()
    }
  })
}

export function temporalFindings(server: Server): Finding[] {
  const { address, means, facts } = server
  const detail = [`answers at ${address}`, `server ${facts.version}`, ...means].join(', ')
  const answers: Finding = { check: 'temporal', ok: true, detail }
  if (facts.retentionMs === null) return [answers, noNamespace(server)]
  return [answers, namespace(server, facts.retentionMs), ...searchAttributes(server), worker(server)]
}

/** A rollback is asked about for longer than a day, and closed runs are what is looked at then. */
const shortMs = 7 * 24 * 3_600_000

function namespace({ namespace: name, address }: Server, retentionMs: number): Finding {
  const detail = `${name}, keeps closed runs for ${Math.round(retentionMs / 3_600_000)} h`
  const command = `temporal operator namespace update --namespace ${name} --retention 30d --address ${address}`
  const hint = retentionMs < shortMs ? { hint: `to look further back: ${command}` } : {}
  return { check: 'namespace', ok: true, detail, ...hint }
}

function noNamespace({ namespace: name, address }: Server): Finding {
  const hint = `temporal operator namespace create --namespace ${name} --retention 30d --address ${address}`
  return { check: 'namespace', ok: false, detail: `there is no namespace "${name}"`, hint }
}

/** Runs work without them, so a missing one is said and nothing more. */
function searchAttributes({ facts, namespace: name, address }: Server): Finding[] {
  const { missing } = facts
  const check = 'search attributes'
  if (missing === null) return [{ check, ok: true, detail: 'unknown: the server does not list them' }]
  if (missing.length === 0) return [{ check, ok: true, detail: 'all there' }]
  const names = missing.map((it) => `--name ${it} --type Keyword`).join(' ')
  const hint = `the worker makes them at its start; where it may not: temporal operator search-attribute create ${names} --namespace ${name} --address ${address}`
  return [{ check, ok: true, detail: `no ${missing.join(', ')}`, hint }]
}

function worker({ workers, taskQueue }: Server): Finding {
  if (workers > 0) return { check: 'worker', ok: true, detail: `${workers} on ${taskQueue}` }
  return { check: 'worker', ok: false, detail: `none polls ${taskQueue}`, hint: 'start one: stepback worker' }
}
