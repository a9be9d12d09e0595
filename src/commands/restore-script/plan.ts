// The plan that the script writes into the ledger before its first change: killed for good, it leaves a debt as any run
// does, which the next one asks a person about, and pays with a worker's acts.

import type { Plan } from '../../plan/plan.js'
import { swapDatabase } from '../../plan/steps/database.js'
import { restoreFiles } from '../../plan/steps/files.js'
import { checkHealth } from '../../plan/steps/health.js'
import { restoreImages } from '../../plan/steps/images.js'
import { startServices, stopServices } from '../../plan/steps/services.js'
import type { RestoreScript } from '../restore-script.js'

/** One line of JSON, with marks for what is known only when the script runs. */
export function planText({ manifest, application, database, stack }: RestoreScript): string {
  const { id: from, target, version } = manifest
  const files = restoreFiles({ from, secrets: 'keep' })
  const images = restoreImages({ images: [], before: [{ service: '@IMAGE@', id: '', ref: '' }] })
  const undo = [
    stopServices({ services: application }).act,
    ...images.undo,
    ...files.undo,
    ...(database ? swapDatabase({ from, mayLoseRows: null }).undo : []),
    startServices({ levels: [{ services: ['@SERVICES@'], wait: false }] }).act,
    checkHealth().act,
  ]
  const plan: Plan = {
    digest: '',
    kind: 'rollback',
    target,
    scope: 'full',
    version,
    because: `restore_${from}.sh was started on the host, in ${stack.directory}`,
    restorePoint: from,
    safety: '@SAFETY@',
    steps: [{ act: { ...files.act, title: `go back by restore_${from}.sh` }, undo, commit: true }],
    approval: { required: false, dataLoss: false, why: 'asked for on the host' },
    already: false,
    before: { version: '@VERSION@', head: null },
    deadlines: { approvalMs: 86_400_000, operatorMs: 1_800_000 },
  }
  return JSON.stringify(plan)
}
