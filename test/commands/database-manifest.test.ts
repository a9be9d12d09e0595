import { describe, expect, it } from 'vitest'
import { parseManifest, type Manifest } from '../../src/plan/manifest.js'

const manifest: Manifest = {
  id: '20261123T140211Z-2.0.0',
  target: 'aria',
  version: '2.0.0',
  createdAt: '2026-11-23T14:02:11.000Z',
  run: { workflowId: 'deploy-aria', runId: '3fa94c21' },
  state: 'proven',
  pins: [],
  files: [{ name: 'env_x', path: '.env', sha256: 'ab', bytes: 12, mode: '0600' }],
  absentPaths: ['models.yaml'],
  images: [{ service: 'api', id: 'sha256:1', ref: 'api:latest' }],
  database: {
    name: 'aria',
    file: 'db_x.dump',
    format: 'dump',
    warm: { name: 'aria__warm_3fa94c21', oid: 17, visits: '9 since ever' },
    serverVersion: 170012,
    oid: 5,
    systemIdentifier: '7',
    snapshot: '10:10:',
    openSavepoints: false,
    migrations: [{ name: 'a001_sessions1700000000001', timestamp: 1700000000001 }],
    schemaSha256: 'cd',
    tables: [{ schema: 'public', name: 'sessions', rows: 3, hash: '-5' }],
    sequences: [{ schema: 'public', name: 's', value: '1', called: false }],
    properties: {
      owner: 'aria',
      encoding: 'UTF8',
      collate: 'C',
      ctype: 'C',
      localeProvider: 'c',
      locale: null,
      icuRules: null,
      connectionLimit: -1,
      acl: [],
      settings: [],
      roleSettings: [],
      comment: null,
    },
    extensions: [{ name: 'vector', version: '0.8.0' }],
    roles: ['aria'],
    counters: { oid: 5, systemIdentifier: '7', statsReset: null, postmasterStart: 'x', tables: [] },
  },
}

describe('a manifest', () => {
  it('is read as it was written', () => {
    expect(parseManifest(JSON.stringify(manifest))).toEqual(manifest)
    const { database: _, ...files } = manifest
    expect(parseManifest(JSON.stringify(files))).toEqual(files)
  })

  it('is refused with everything that is wrong with it, path first', () => {
    const wrong = {
      ...manifest,
      state: 'fine',
      files: [{ ...manifest.files[0], bytes: '12' }],
      database: { ...manifest.database, properties: { ...manifest.database!.properties, owner: undefined } },
    }
    expect(() => parseManifest(JSON.stringify(wrong))).toThrow(
      'state: expected taken or proven or warm or kept or broken, found "fine"; files[0].bytes: expected number, found "12"; ' +
        'database.properties.owner: expected string, found nothing',
    )
    expect(() => parseManifest('{')).toThrow('not JSON')
    expect(() => parseManifest('[]')).toThrow('the manifest: expected an object')
  })
})
