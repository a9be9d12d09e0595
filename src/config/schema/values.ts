// The plain values that keys of stepback.yaml have.

import { z } from 'zod'

export const duration = z.string().regex(/^\d+(ms|s|m|h|d)$/, 'should be a duration like "30s", "5m" or "24h"')

export const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'should be a name of letters, digits, ".", "_" and "-"')

export const absolutePath = z
  .string()
  .regex(/^\/(?![\s\S]*(^|\/)\.\.(\/|$))/, 'should be an absolute path without ".."')
  .transform((path) => path.replace(/(?<=.)\/+$/, ''))

export const innerPath = z
  .string()
  .regex(/^(?!\/)(?![\s\S]*(^|\/)\.\.(\/|$))[\s\S]+$/, 'should be a path inside the project directory')
  .transform((path) => path.replace(/^\.\//, '').replace(/\/+$/, ''))

export const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'should be the name of a variable')
export const wait = duration.refine((it) => !/^0+[a-z]+$/.test(it), 'should not be zero')

/** A value by reference, never by itself: from the worker's environment, or from the target's environment file. */
export const ofWorker = z.strictObject({ env: variable.describe("a variable of the worker's environment") })

export const ofEnvFile = z.strictObject({
  envFile: z.string().min(1).describe("a key of the target's environment file"),
})

export const reference = z.union([ofWorker, ofEnvFile], {
  error:
    'should be a reference: { env: NAME } to a variable of the worker, or { envFile: KEY } to the environment file',
})

export const argv = z
  .array(z.string().regex(/^[^\0]*$/, 'should be without NUL'))
  .min(1)
  .refine((words) => words[0] !== '', 'should begin with a program')
  .describe('an argument list; no shell reads it')

export const person = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.@+-]{0,199}$/, 'should be a name of letters, digits, ".", "_", "@", "+" and "-"')
