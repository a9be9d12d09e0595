import { z } from 'zod'
import { ofWorker } from './values.js'

export const ssh = z.strictObject({
  host: z
    .string()
    .regex(/^[^-\s][^\s]*$/, 'should be a name or an address')
    .describe('a name, an address, or an alias of the SSH configuration, ProxyJump included'),
  port: z.int().min(1).max(65535).optional().describe('default: that of the SSH configuration, or 22'),
  user: z.string().min(1).optional().describe('default: that of the SSH configuration, or your own'),
  identityFile: z
    .string()
    .optional()
    .describe('private key; default: those of the SSH configuration that are there, then the agent'),
  passphrase: z
    .strictObject(ofWorker.shape, { error: 'should be a reference: { env: NAME } to a variable of the worker' })
    .optional()
    .describe('of the private key'),
  knownHosts: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('files of accepted host keys; default: those of the SSH configuration, or `~/.ssh/known_hosts`'),
  config: z.string().optional().describe('an SSH configuration in place of your own, `~/.ssh/config`'),
})
