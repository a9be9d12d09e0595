// Logs of the worker: JSON on stderr, one line each, with nothing in it that opens a door.

import type { LogLevel, LogMetadata } from '@temporalio/common'
import type { Logger as TemporalLogger } from '@temporalio/worker'
import { type DestinationStream, type Logger, pino } from 'pino'
import { maskCredentials } from '../plan/credentials.js'

export type { Logger }

const secretKeys = ['password', 'passphrase', 'secret', 'apiKey', 'authorization', 'privateKey', 'taskToken']
/** Deeper objects than these are not logged by anything here. */
const depths = ['', '*.', '*.*.']

/** Synchronous, so that the last words of a worker that dies are written. */
export function createLogger(input: { readonly level?: string; readonly to?: DestinationStream } = {}): Logger {
  return pino(
    {
      level: input.level ?? 'info',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
      redact: { paths: depths.flatMap((depth) => secretKeys.map((key) => depth + key)), censor: '[redacted]' },
      hooks: { streamWrite: maskCredentials },
    },
    input.to ?? pino.destination({ fd: 2, sync: true }),
  )
}

/** The SDK names levels in capitals, and gives the message first. */
export function forTemporal(logger: Logger): TemporalLogger {
  const log = (level: LogLevel, message: string, meta?: LogMetadata) =>
    logger[level.toLowerCase() as Lowercase<LogLevel>](meta ?? {}, message)
  return {
    log,
    trace: (message, meta) => log('TRACE', message, meta),
    debug: (message, meta) => log('DEBUG', message, meta),
    info: (message, meta) => log('INFO', message, meta),
    warn: (message, meta) => log('WARN', message, meta),
    error: (message, meta) => log('ERROR', message, meta),
  }
}
