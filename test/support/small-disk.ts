// A file system of a few megabytes, in memory, that is really full when it is full. Only root may mount one.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SmallDisk {
  readonly path: string
  /** Takes all room but so many bytes; `fill(Infinity)` gives it back. */
  fill(left: number): void
  remove(): void
}

export function smallDisk(megabytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'stepback-small-disk-'))
  const asRoot = (program: string, ...words: string[]) =>
    execFileSync(
      process.getuid?.() === 0 ? program : 'sudo',
      process.getuid?.() === 0 ? words : ['-n', program, ...words],
    )
  asRoot('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0777`, 'none', path)
  const ballast = join(path, 'ballast')
  return {
    path,
    fill: (left) => {
      rmSync(ballast, { force: true })
      const { bavail, bsize } = statfsSync(path)
      if (bavail * bsize > left) writeFileSync(ballast, Buffer.alloc(bavail * bsize - left))
    },
    remove: () => {
      asRoot('umount', '--lazy', path)
      rmSync(path, { recursive: true, force: true })
    },
  }
}
