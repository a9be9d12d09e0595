import { describe, expect, test } from 'vitest'
import type { Manifest, ManifestFile } from '../../src/plan/manifest.js'
import { wayBack, wayBackOf } from '../../src/plan/way-back.js'
import { manifest } from '../support/plans.js'

const [first, second, third] = ['20261101T000000Z-2.0.0', '20261102T000000Z-2.1.0', '20261103T000000Z-2.1.1'] as const
const archive = (id: string): ManifestFile => ({ name: `config_${id}.tar.gz`, sha256: id, bytes: 1, mode: '0600' })
const member = (id: string, path: string): ManifestFile => ({ ...archive(id), path, sha256: `${path} at ${id}` })

function point(id: string, paths: readonly string[], absentPaths: readonly string[]): Manifest {
  return manifest({ id, files: [archive(id), ...paths.map((path) => member(id, path))], absentPaths })
}

describe('going back over two releases', () => {
  // 2.1.0 brought b anew; 2.1.1 brought c and d/e anew, and replaced z, which nobody had recorded.
  const points = [
    point(first, ['a'], ['b']),
    point(second, ['a', 'b', 'z'], ['c', 'd', 'd/e']),
    point(third, ['a', 'b', 'c'], []),
  ]

  test('removes what both brought, and puts back what the later one was the first to replace', () => {
    const { files, absent, sources } = wayBack(points[0]!, points, '20261104T000000Z-2.1.1')
    expect(files).toEqual([member(first, 'a'), member(second, 'z')])
    expect(absent).toEqual(['d/e', 'd', 'c', 'b'])
    expect(sources.map((source) => source.name)).toEqual([archive(first).name, archive(second).name])
  })

  test('over one of them touches nothing that is older', () => {
    const { files, absent } = wayBack(points[1]!, points.slice(0, 2), '~')
    expect(files.map((it) => it.path)).toEqual(['a', 'b', 'z'])
    expect(absent).toEqual(['d/e', 'd', 'c'])
  })

  test('for some paths alone reads and removes nothing else', () => {
    const way = wayBack(points[0]!, points, '~')
    expect(wayBackOf(way, ['z', 'd'])).toEqual({
      files: [member(second, 'z')],
      absent: ['d/e', 'd'],
      sources: [{ name: archive(second).name, sha256: archive(second).sha256 }],
    })
    expect(wayBackOf(way, undefined)).toEqual(way)
  })

  test('to the restore point that the run itself took looks at no other', () => {
    expect(wayBack(points[1]!, points, second).absent).toEqual(['d/e', 'd', 'c'])
  })
})
