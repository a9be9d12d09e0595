import type { Manifest } from '../plan/manifest.js'
import { quote } from './shell.js'

/** Writes a manifest: last of all, and by rename, since this is what makes a restore point one. */
export function writeManifest(input: { readonly backups: string; readonly manifest: Manifest }): string {
  const file = `${input.backups}/manifest_${input.manifest.id}.json`
  return [
    'set -eu',
    'umask 077',
    `cat >${quote(`${file}.part`)} <<'STEPBACK-MANIFEST'`,
    JSON.stringify(input.manifest, null, 2),
    'STEPBACK-MANIFEST',
    `sync ${quote(`${file}.part`)} 2>/dev/null || sync`,
    `mv -f ${quote(`${file}.part`)} ${quote(file)}`,
    '',
  ].join('\n')
}

/** A line for each manifest: its file name, and its content without line breaks. One program reads them all, since there may be many. */
export function manifestLines(backups: string): string {
  const print =
    'printf "%s ", ARGV[i]; while ((getline line < ARGV[i]) > 0) printf "%s", line; close(ARGV[i]); print ""'
  return [
    `cd ${quote(backups)} 2>/dev/null || exit 0`,
    'for f in manifest_*.json; do [ ! -f "$f" ] || set -- "$@" "$f"; done',
    `[ $# = 0 ] || awk 'BEGIN { for (i = 1; i < ARGC; i++) { ${print} } }' "$@"`,
    '',
  ].join('\n')
}
