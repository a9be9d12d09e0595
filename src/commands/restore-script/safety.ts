// The restore point that the script takes itself before its first change: what is there now, so that going back can be
// undone. Without a worker its manifest is put together here, on the host.

import { describeFiles } from '../file-facts.js'
import { captureFiles } from '../files.js'
import { containerIds } from '../compose.js'
import type { RestoreScript } from '../restore-script.js'
import { command, quote } from '../shell.js'

/** Stands in the text for the id, which has the time in it. */
export const safetyMark = '@SAFETY@'

/**
 * Takes SAFETY (the id), VERSION_NOW, TAKEN_NOW, RUN and MORE (members of the manifest), and OUTSIDE, paths that the
 * restore point does not know, each as a word for `printf %b`.
 */
export function safetyText(input: RestoreScript): string {
  const { stack, backups, files, trees } = input
  const [composeFile, envFile] = [stack.files[0]!, stack.envFile]
  const known = [...files.files.map((file) => file.path), ...files.absent]
  const paths = [...new Set([composeFile, envFile, ...known])]
  const places = { directory: stack.directory, backups, id: safetyMark, composeFile, envFile }
  return [
    captureFiles({ ...places, paths: paths.filter((path) => !trees.includes(path)), trees, more: addOutside }),
    describeFiles(stack.directory, [], trees).replace('\ncd ', '\nlisted() {\ncd '),
    ...paths.map((path) => command('describe', `./${path}`, `@${hex(`./${path}`)}`)),
    describeOutside,
    `cd ${quote(backups)} && [ ! -e ${quote(`config_${safetyMark}.tar.gz`)} ] || describe ${quote(`./config_${safetyMark}.tar.gz`)} archive`,
    '}',
    `found=$(listed | LC_ALL=C awk -v id=${quote(safetyMark)} -v composed=${hex(`./${composeFile}`)} -v env=${hex(`./${envFile}`)} ${quote(asJson)})`,
    ...imageLines(input),
    `cd ${quote(backups)}`,
    ...manifestLines(input),
    '',
  ].join('\n')
}

const eachOutside = 'for o in $OUTSIDE; do p=$(printf "%b." "$o"); p=./${p%.}'
const addOutside = `${eachOutside}; if [ -L "$p" ] || [ -e "$p" ]; then set -- "$@" "$p"; fi; done`
const describeOutside = `${eachOutside}; describe "$p" "@$(printf %s "$p" | hex)"; done`

/** What runs by its image, and the tags that keep these from being pruned. */
function imageLines({ stack, manifest }: RestoreScript): string[] {
  const label = '(index .Config.Labels "com.docker.compose.service")'
  const inspect = (format: string) => `${containerIds(stack.project)} | xargs docker inspect --format ${quote(format)}`
  const asMember = `{"service":{{json ${label}}},"id":{{json .Image}},"ref":{{json .Config.Image}}}`
  return [
    `images=$(${inspect(asMember)} | LC_ALL=C sort | awk -F, '!seen[$1]++ { printf "%s%s", comma, $0; comma = "," }')`,
    // As the worker names them: lower case, one separator at a time.
    `named() { printf %s "$1" | tr '[:upper:]' '[:lower:]' | sed -e 's/[^a-z0-9._-]/-/g' -e 's/[._-]\\{2,\\}/-/g' -e 's/^[._-]//' -e 's/[._-]$//'; }`,
    `tag=$(printf %s "$SAFETY" | sed 's/[^A-Za-z0-9_.-]/_/g')`,
    `${inspect(`{{index .Config.Labels "com.docker.compose.service"}} {{.Image}}`)} | while read -r service image; do`,
    `  docker tag "$image" "stepback/$(named ${quote(`${manifest.target}-`)}"$service"):$tag" </dev/null`,
    '  docker tag "$image" "$(named "$service"):backup" </dev/null',
    'done',
  ]
}

function manifestLines({ manifest }: RestoreScript): string[] {
  const file = quote(`manifest_${safetyMark}.json`)
  const part = quote(`manifest_${safetyMark}.json.part`)
  const members = [
    '"id":"%s"',
    `"target":${JSON.stringify(manifest.target)}`,
    '"version":"%s"',
    '"createdAt":"%s"',
    '"run":%s',
    '"pins":[]',
    '%s',
    '"images":[%s]',
    '%s',
  ]
  return [
    `printf ${quote(`{${members.join(',')}}\\n`)} "$SAFETY" "$VERSION_NOW" "$TAKEN_NOW" "$RUN" "$found" "$images" "$MORE" >${part}`,
    `sync ${part} 2>/dev/null || sync`,
    `mv -f ${part} ${file}`,
  ]
}

function hex(text: string): string {
  return Buffer.from(text, 'utf8').toString('hex')
}

// Names as JSON, from their bytes: what is beyond ASCII as escapes, since not every awk prints a byte as it is.
const asJson = String.raw`
BEGIN { for (i = 0; i < 256; i++) value[sprintf("%02x", i)] = i }
function text(hex,  out, i, c, n) {
  for (i = 1; i <= length(hex); i += 2) {
    c = value[substr(hex, i, 2)]
    if (c >= 192) {
      n = c >= 240 ? 3 : c >= 224 ? 2 : 1
      c -= c >= 240 ? 240 : c >= 224 ? 224 : 192
      while (n-- > 0) { i += 2; c = c * 64 + value[substr(hex, i, 2)] - 128 }
    }
    if (c >= 65536) out = out sprintf("\\u%04x\\u%04x", 55296 + int((c - 65536) / 1024), 56320 + c % 1024)
    else if (c == 34 || c == 92 || c < 32 || c > 126) out = out sprintf("\\u%04x", c)
    else out = out sprintf("%c", c)
  }
  return "\"" out "\""
}
function add(words) { files = files comma "{" words "}"; comma = "," }
function content() { return ",\"sha256\":\"" $2 "\",\"bytes\":" $3 ",\"mode\":\"0" $4 "\"" }
$NF == "archive" { add("\"name\":\"config_" id ".tar.gz\"" content()); next }
{ hex = substr($NF, 2); if (hex in seen) next; seen[hex] = 1; path = text(substr(hex, 5)) }
$1 == "A" { absent = absent between path; between = ","; next }
$1 == "S" { exit 1 }
{
  name = hex == composed ? "docker-compose_" id ".yml" : hex == env ? "env_" id : "config_" id ".tar.gz"
  head = "\"name\":\"" name "\",\"path\":" path
  if ($1 == "F") add(head content())
  else if ($1 == "D") add(head ",\"sha256\":\"\",\"bytes\":0,\"mode\":\"0" $2 "\",\"kind\":\"directory\"")
  else add(head ",\"sha256\":\"" $2 "\",\"bytes\":0,\"mode\":\"0000\",\"kind\":\"link\",\"target\":" text($3))
}
END { print "\"files\":[" files "],\"absentPaths\":[" absent "]" }
`
