// Logs of the worker: JSON on stderr, one line each, with nothing in it that opens a door.

import type { LogLevel, LogMetadata } from '@temporalio/common'
import type { Logger as TemporalLogger } from '@temporalio/worker'
import { type DestinationStream, type Logger, pino } from 'pino'

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

/** Messages of libraries come as text, where no key says what is secret: addresses with credentials are masked. */
export function maskCredentials(line: string): string {
  return line
    .replaceAll(/(:\/\/[^\s:/@"\\]*):[^\s@"\\]+@/g, '$1:[redacted]@')
    .replaceAll(/\b((?:[A-Za-z_]*(?:password|passphrase|secret))=)[^\s"'\\&;]+/gi, '$1[redacted]')
}

/** The same within data: people write comments and reasons, and some write a password into them. */
export function masked<T>(words: T): T {
  return JSON.parse(maskCredentials(JSON.stringify(words))) as T
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
