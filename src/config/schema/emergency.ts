import { z } from 'zod'
import { duration, innerPath, name, variable } from './values.js'

export const emergency = z
  .strictObject({
    stopGrace: duration
      .default('5s')
      .describe('how long the application may take to end, all of it at once, before it is killed'),
    logLines: z
      .int()
      .min(1)
      .max(100_000)
      .default(100)
      .describe('log lines of each container that `unresponsive` keeps'),
    reserveBytes: z
      .int()
      .min(0)
      .default(64 * 1024 * 1024)
      .describe('a file beside the state of stepback that is removed first when the disk is full; 0 for none'),
    disk: z
      .strictObject({
        dumps: z.int().min(1).default(5).describe('so many of the newest dumps stay, whatever else does'),
        containers: z.boolean().default(true).describe("this project's stopped containers go"),
        images: z.boolean().default(true).describe('dangling images that no restore point needs go'),
        buildCache: z.boolean().default(true).describe('it goes'),
        volumes: z.boolean().default(true).describe("this project's volumes that no service could own go"),
        logs: z
          .strictObject({
            path: innerPath.describe('a directory inside the project directory'),
            olderThan: duration.default('30d').describe('`*.log` below it that nobody wrote to for so many days go'),
          })
          .optional(),
      })
      .prefault({})
      .describe('what `disk-full` removes'),
    memory: z
      .strictObject({
        service: name.describe('the model server, or whatever uses most of the memory'),
        key: variable.describe('of the environment file: which model it takes'),
        value: z
          .string()
          .regex(/^[A-Za-z0-9_./:@%+-]+$/, 'should be a plain word')
          .describe('the smaller one'),
        services: z.array(name).min(1).describe('restarted with it, the model server among them'),
        availableBytes: z
          .int()
          .min(0)
          .default(1_000_000_000)
          .describe('memory is short while fewer bytes of the host are available'),
        serviceBytes: z.int().min(1).optional().describe('...or while the service itself uses more'),
        settle: duration.default('5s').describe('so long after a start its memory is not looked at'),
      })
      .optional()
      .describe('what `out-of-memory` does'),
  })
  .prefault({})
  .describe('what `stepback emergency` does')
