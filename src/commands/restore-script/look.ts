import { fileFacts } from '../file-facts.js'
import type { RestoreScript } from '../restore-script.js'
import { command, quote } from '../shell.js'

/** Reads and changes nothing: what would keep the way back from being whole, a line each, and then exit status 1. */
export function lookText({ manifest, stack, backups, files }: RestoreScript): string {
  const file = manifest.files.find((it) => it.name === manifest.database?.file)
  const dump = file && { name: file.name, sha256: file.sha256 }
  const sources = [...files.sources, ...(dump ? [dump] : [])]
  return [
    fileFacts,
    'bad=0',
    'no() { echo "stepback: $1" >&2; bad=1; }',
    'docker version >/dev/null 2>&1 || { no "Docker does not answer here"; exit 1; }',
    'docker compose version >/dev/null 2>&1 || no "docker compose is not here"',
    `[ -d ${quote(stack.directory)} ] || no ${quote(`the project directory ${stack.directory} is not there`)}`,
    `[ -f ${quote(`${backups}/manifest_${manifest.id}.json`)} ] || no "without its manifest the restore point was never finished"`,
    'file() {',
    '  if [ ! -f "$1" ]; then no "$1 is missing"; return; fi',
    '  [ "$(sha256 "$1")" = "$2" ] || no "$1 has another checksum than the recorded one"',
    '}',
    'image() { docker image inspect "$2" >/dev/null 2>&1 || no "the image of $1 is gone from the host: $2"; }',
    ...sources.map((it) => command('file', `${backups}/${it.name}`, it.sha256)),
    ...manifest.images.map((it) => command('image', it.service, it.id)),
    'exit "$bad"',
    '',
  ].join('\n')
}
