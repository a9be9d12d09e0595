// Every activity by its name. The catalogue is complete by its type: an act without an implementation does not compile.

import { adoptMigrations } from './adoption.js'
import { type ActActivities, type ActCatalogue, actActivities } from './act.js'
import { dropNewDatabase, restoreDatabase, swapDatabase, swapDatabaseBack } from './database.js'
import { auditActivities } from './audit.js'
import { carryForward, rehearseCarry } from './carry.js'
import { checkActivities } from './checks.js'
import type { Deps } from './deps.js'
import { putFiles, restoreFiles } from './files.js'
import { askDatabase, fenceDatabase, giveVerdict, listContainers, recordStart, recordStop } from './emergency.js'
import {
  measureDisk,
  pruneBuildCache,
  removeContainers,
  removeDumps,
  removeImages,
  removeLogs,
  removeVolumes,
} from './disk.js'
import { guardActivities } from './guard.js'
import { checkHealth, checkVersion, collectLogs, watchHealth } from './health.js'
import { endHook, runHook } from './hooks.js'
import { buildImages, keepImages, restoreImages } from './images.js'
import { leaseActivities } from './lease.js'
import { measureMemory, putEnvironmentBack, restartService, useSmallerModel } from './memory.js'
import { archiveMemories, pruneArchives, restoreMemories } from './memories.js'
import { keepMigrations, migrateDown, migrateUp } from './migrations.js'
import { noticeActivities } from './notices.js'
import { planningActivities } from './planning.js'
import { dropCopies, dropUnprovenCopy, proveRestorePoint } from './proof.js'
import { takeRestorePoint } from './restore-point.js'
import { recreateDatabase } from './recreate-database.js'
import { removeServices, startServices, stopServices } from './services.js'
import { pruneRestorePoints, setPins } from './shelf.js'
import { signatureActivities } from './signature.js'

export type StepbackActivities = ReturnType<typeof planningActivities> &
  ReturnType<typeof checkActivities> &
  ReturnType<typeof leaseActivities> &
  ReturnType<typeof guardActivities> &
  ReturnType<typeof signatureActivities> &
  ReturnType<typeof noticeActivities> &
  ReturnType<typeof auditActivities> &
  ActActivities

export function createActivities(deps: Deps): StepbackActivities {
  return {
    ...planningActivities(deps),
    ...checkActivities(deps),
    ...leaseActivities(deps),
    ...guardActivities(deps),
    ...signatureActivities(deps),
    ...noticeActivities(deps),
    ...auditActivities(deps),
    ...actActivities(deps, catalogue),
  }
}

const catalogue: ActCatalogue = {
  takeRestorePoint,
  proveRestorePoint,
  dropUnprovenCopy,
  dropCopies,
  setPins,
  pruneRestorePoints,
  keepMigrations,
  keepImages,
  putFiles,
  restoreFiles,
  buildImages,
  restoreImages,
  recreateDatabase,
  stopServices,
  removeServices,
  startServices,
  listContainers,
  recordStop,
  recordStart,
  fenceDatabase,
  askDatabase,
  giveVerdict,
  measureMemory,
  restartService,
  useSmallerModel,
  putEnvironmentBack,
  measureDisk,
  removeContainers,
  removeImages,
  pruneBuildCache,
  removeVolumes,
  removeDumps,
  removeLogs,
  migrateUp,
  migrateDown,
  adoptMigrations,
  restoreDatabase,
  rehearseCarry,
  carryForward,
  swapDatabase,
  swapDatabaseBack,
  dropNewDatabase,
  checkHealth,
  checkVersion,
  watchHealth,
  collectLogs,
  runHook,
  endHook,
  archiveMemories,
  pruneArchives,
  restoreMemories,
}
