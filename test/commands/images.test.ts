import { expect, test } from 'vitest'
import { keep, keptTag, restore } from '../../src/commands/images.js'

const images = [{ service: 'api', id: 'sha256:11', ref: 'shop-api' }]

test('an image is kept by its id, under the restore point and under the name that operators know', () => {
  expect(keep({ target: 'shop', restorePoint: '20261123T140211Z-2.0.0', images })).toEqual([
    'docker tag sha256:11 stepback/shop-api:20261123T140211Z-2.0.0',
    'docker tag sha256:11 api:backup',
  ])
})

test('an image gets back the reference that Compose uses', () => {
  expect(restore([...images, { service: 'web', id: 'sha256:22', ref: 'registry.test/web:1' }])).toEqual([
    'docker tag sha256:11 shop-api',
    'docker tag sha256:22 registry.test/web:1',
  ])
})

test('a reference by digest can be given to no image, and is left as it is', () => {
  expect(restore([{ service: 'web', id: 'sha256:22', ref: `nginx@sha256:${'2'.repeat(64)}` }])).toEqual([])
})

test.each([
  [{ target: 'Shop', service: 'API', restorePoint: 'x-1' }, 'stepback/shop-api:x-1'],
  [
    { target: 'my shop', service: 'ü', restorePoint: '20261123T140211Z-2.0.0+build.5' },
    'stepback/my-shop:20261123T140211Z-2.0.0_build.5',
  ],
])('a tag of %j is one that Docker takes', (input, tag) => {
  expect(keptTag(input)).toBe(tag)
})
