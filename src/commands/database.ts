// What a host's jobs say to PostgreSQL, as text.

export type { JobScript } from './database/ending.js'
export { comparableLines, parseFacts } from './database/facts.js'
export { schemaFingerprint, schemaStructure } from './database/fingerprint.js'
export { createJournal, journalDatabase, journalMark, timerScript } from './database/journal.js'
export { beforeName, isBesideName, newName, sessionName, sessionPrefix, warmName } from './database/names.js'
export type { DatabaseAccess } from './database/programs.js'
export { dropDatabase, mismatchExit, restoreInto, type RestoreFormat } from './database/restore.js'
export { takeDump } from './database/take.js'
