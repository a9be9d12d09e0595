// The look before an emergency acts: no more than its procedure needs, and nothing that needs room on the disk.

import { composeConfig, freeBytes, ledgerEntries, parseBytes, sizedFiles } from '../../commands/observe.js'
import type { Target } from '../../config/schema.js'
import { parseComposeVolumes } from '../../plan/compose.js'
import { durationMs } from '../../plan/duration.js'
import type { Dumps } from '../../plan/emergency/corruption.js'
import type { EmergencyFacts, EmergencySettings, StackFiles } from '../../plan/emergency/facts.js'
import type { MemoryRules } from '../../plan/emergency/memory.js'
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
import { readShelf } from './manifests.js'

/** Those that start something from the files. */
const starting: readonly Procedure[] = ['start', 'out-of-memory', 'database-corruption']

export async function observeEmergency(look: Look, { procedure }: EmergencyRequest): Promise<EmergencyFacts> {
  const { stateDirectory } = look.host
  const [containers, records, free, files, disk, dumps] = await together([
    readContainers(look),
    look.look(ledgerEntries(stateDirectory)),
    look.look(freeBytes(stateDirectory)),
    starting.includes(procedure) ? readFiles(look) : undefined,
    procedure === 'disk-full' ? observeDisk(look) : undefined,
    procedure === 'database-corruption' ? readDumps(look) : undefined,
  ])
  return {
    at: new Date().toISOString(),
    stack: stackOf(look),
    settings: settingsOf(look.target.emergency),
    containers,
    records: recordsIn(records),
    backups: look.target.backups,
    freeBytes: parseBytes(free),
    ...(files ? { files } : {}),
    ...(disk ? { disk } : {}),
    ...(dumps ? { dumps } : {}),
  }
}

function settingsOf({ stopGrace, logLines, disk, memory }: Target['emergency']): EmergencySettings {
  const { logs, ...rest } = disk
  const olderThanDays = logs && Math.floor(durationMs(logs.olderThan) / durationMs('1d'))
  return {
    stopGraceSeconds: Math.ceil(durationMs(stopGrace) / 1_000),
    logLines,
    memory: memory ? memoryRules(memory) : null,
    disk: { ...rest, logs: logs ? { path: logs.path, olderThanDays: olderThanDays! } : null },
  }
}

function memoryRules({ settle, ...rules }: NonNullable<Target['emergency']['memory']>): MemoryRules {
  return { ...rules, serviceBytes: rules.serviceBytes ?? null, settleMs: durationMs(settle) }
}

async function readDumps(look: Look): Promise<Dumps> {
  const { manifests } = await readShelf(look)
  const files = manifests.flatMap(({ id, database, files: all }) => {
    const file = all.find((it) => it.name === database?.file)
    return file ? [{ id, ...file }] : []
  })
  const found = (await look.look(sizedFiles(look.target.backups, files))).split('\n')
  return { manifests, whole: files.filter((_file, index) => found[index] === 'whole').map(({ id }) => id) }
}

async function readFiles(look: Look): Promise<StackFiles> {
  const [config, labels, volumes] = await together([
    look.try(composeConfig(composeStack(look.target))),
    readLabels(look),
    readVolumes(look),
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
