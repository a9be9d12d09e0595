// The look before an emergency acts. It goes without the helper, which needs room on the disk for what it is told.

import { tryPlain } from '../../adapters/host/plain.js'
import { composeConfig, freeBytes, ledgerEntries } from '../../commands/observe.js'
import type { Target } from '../../config/schema.js'
import { parseComposeVolumes } from '../../plan/compose.js'
import { durationMs } from '../../plan/duration.js'
import type { EmergencyFacts, EmergencySettings, StackFiles } from '../../plan/emergency/facts.js'
import { StepbackError } from '../../plan/failure.js'
import { identity } from '../../plan/identity.js'
import type { EmergencyRequest, Procedure } from '../../plan/request.js'
import { composeStack } from '../context.js'
import { together } from '../together.js'
import { readContainers, readLabels, readVolumes } from './containers.js'
import { observeDisk } from './disk.js'
import { composeProblem, modelOf, stackOf } from './facts.js'
import { recordsIn } from './ledger.js'
import type { Look } from './look.js'

/** Those that start something from the files. */
const starting: readonly Procedure[] = ['start']

export async function observeEmergency(look: Look, { procedure }: EmergencyRequest): Promise<EmergencyFacts> {
  const plain = plainly(look)
  const { stateDirectory } = look.host
  const [containers, records, free, files, disk] = await together([
    readContainers(plain),
    plain.look(ledgerEntries(stateDirectory)),
    plain.look(freeBytes(stateDirectory)),
    starting.includes(procedure) ? readFiles(look, plain) : undefined,
    procedure === 'disk-full' ? observeDisk(look, plain) : undefined,
  ])
  return {
    at: new Date().toISOString(),
    stack: stackOf(look),
    settings: settingsOf(look.target.emergency),
    containers,
    records: recordsIn(records),
    backups: look.target.backups,
    freeBytes: Number(free.trim() || Number.NaN),
    ...(files ? { files } : {}),
    ...(disk ? { disk } : {}),
  }
}

function settingsOf({ stopGrace, logLines, disk }: Target['emergency']): EmergencySettings {
  const { logs, ...rest } = disk
  const olderThanDays = logs && Math.floor(durationMs(logs.olderThan) / durationMs('1d'))
  return {
    stopGraceSeconds: Math.ceil(durationMs(stopGrace) / 1_000),
    logLines,
    disk: { ...rest, logs: logs ? { path: logs.path, olderThanDays: olderThanDays! } : null },
  }
}

/** Looks by a shell of its own, which writes nothing anywhere. */
export function plainly({ target, ssh }: Look) {
  return {
    target,
    look: async (script: string): Promise<string> => {
      const { exitCode, stdout } = await tryPlain(ssh, script)
      if (exitCode === 0) return stdout
      throw new StepbackError({
        type: 'Refused',
        message: `a look at target "${target.name}" ended with exit status ${exitCode}`,
        hint: `run \`stepback doctor ${target.name}\`.`,
      })
    },
  }
}

async function readFiles(look: Look, plain: ReturnType<typeof plainly>): Promise<StackFiles> {
  const [config, labels, volumes] = await together([
    tryPlain(look.ssh, composeConfig(composeStack(look.target))),
    readLabels(plain),
    readVolumes(plain),
  ])
  if (config.exitCode !== 0) {
    throw new StepbackError({
      type: 'Refused',
      message: `docker compose cannot read the files of target "${look.target.name}": ${composeProblem(config)}`,
      hint: `bring them back: stepback rollback ${look.target.name} --scope config.`,
    })
  }
  const stack = stackOf(look)
  const ownVolumes = parseComposeVolumes(config.stdout)
  return { model: modelOf(look, config), identity: identity({ ...stack, containers: labels, volumes, ownVolumes }) }
}
