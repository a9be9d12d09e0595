import { serviceContainers } from './compose.js'
import { fileFacts } from './file-facts.js'
import { mergedEnv } from './files.js'
import { places } from './places.js'
import { quote } from './shell.js'

/** Two figures in bytes: what is available, and all of it. macOS has `vm_stat`, where Linux has `/proc/meminfo`. */
export const hostMemory = [
  'if command -v vm_stat >/dev/null 2>&1; then',
  '  vm_stat | awk -v total="$(sysctl -n hw.memsize)" \'',
  '    /page size of/ { for (i = 1; i < NF; i++) if ($i == "of") page = $(i + 1) }',
  '    /^Pages (free|inactive|speculative|purgeable):/ { sub(/[.]$/, ""); pages += $NF }',
  '    END { printf "%.0f %.0f\\n", pages * page, total }\'',
  'else',
  "  awk '/^MemTotal:/ { total = $2 } /^MemAvailable:/ { available = $2 } /^(MemFree|Buffers|Cached):/ { free += $2 }",
  '    END { printf "%.0f %.0f\\n", (available == "" ? free : available) * 1024, total * 1024 }\' /proc/meminfo',
  'fi',
  '',
].join('\n')

/** A line such as `576.5MiB / 23.4GiB` for each running container of a service. */
export function serviceMemory(project: string, service: string): string {
  const ids = `ids=$(${serviceContainers(project, service, 'running')})`
  return `${ids}\n[ -z "$ids" ] || docker stats --no-stream --format '{{.MemUsage}}' $ids\n`
}

/** Bytes of all the lines; null where there are none. */
export function parseServiceMemory(stdout: string): number | null {
  const used = [...stdout.matchAll(/^([\d.]+)\s*([kKMGT]?i?B)\s/gm)].map(
    ([, amount, unit]) => Number(amount) * (units[unit!.toLowerCase()] ?? Number.NaN),
  )
  return used.length === 0 ? null : used.reduce((sum, it) => sum + it, 0)
}

const units: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
}

/** Restarts every container of a service, one that is not running, too. */
export function restart(project: string, service: string, graceSeconds: number): string[] {
  return [`ids=$(${serviceContainers(project, service)})`, `docker restart --time ${graceSeconds} $ids`]
}

interface EnvironmentFile {
  readonly directory: string
  readonly envFile: string
  /** Where the file is kept as it was before. */
  readonly staging: string
}

/** Sets one key, whatever stands in the file besides; prints `same` where it had that value. */
export function setKey({
  key,
  value,
  ...file
}: EnvironmentFile & { readonly key: string; readonly value: string }): string {
  const { envFile, staging } = file
  const live = `./${envFile}`
  return [
    ...entered(file),
    `mkdir -p ${quote(staging)}`,
    // Of all tries the first saw the file as it was.
    `[ -e ${quote(`${staging}/env`)} ] || { cp -p ${quote(live)} ${quote(`${staging}/env.part`)} && mv -f ${quote(`${staging}/env.part`)} ${quote(`${staging}/env`)}; }`,
    `printf '%s\\n' ${quote(`${key}=${value}`)} >${quote(`${staging}/set`)}`,
    `${mergedEnv({ live: `${staging}/set`, saved: live, liveKeys: [key] })} >${quote(`${staging}/new`)}`,
    `if cmp -s ${quote(`${staging}/new`)} ${quote(live)}; then echo same; exit 0; fi`,
    `put_file ${quote(envFile)} ${quote(`${staging}/new`)} "$(mode ${quote(live)})"`,
    '',
  ].join('\n')
}

/** Does nothing where nothing was set. */
export function putEnvironmentBack(file: EnvironmentFile): string {
  const kept = quote(`${file.staging}/env`)
  return [
    ...entered(file),
    `[ -e ${kept} ] || exit 0`,
    `put_file ${quote(file.envFile)} ${kept} "$(mode ${kept})"`,
    '',
  ].join('\n')
}

function entered({ directory }: EnvironmentFile): string[] {
  return ['set -eu', 'umask 077', fileFacts, `cd ${quote(directory)}`, places]
}
