import { expect, test } from 'vitest'
import { readApplySource } from './apply-source.ts'

const read = (text: string) => readApplySource('shop.yaml', text)
const faultOf = (text: string) => {
  try {
    read(text)
    return 'none'
  } catch (cause) {
    return (cause as Error).message
  }
}

test('several documents count as one, empty ones as none', () => {
  const { file, where } = read(
    'gateways:\n  demo: {}\n---\n---\nstores:\n  shop: { gateway: demo, kind: files, settings: { path: /srv } }\n',
  )

  expect(Object.keys(file.gateways ?? {})).toEqual(['demo'])
  expect(file.stores?.['shop']?.settings).toEqual({ path: '/srv' })
  expect(where('stores', 'shop')).toBe('shop.yaml:6:3')
  expect(where('stores', 'shop', 'kind')).toBe('shop.yaml:6:26')
})

test.each([
  ['what is no YAML', 'gateways:\n  demo: [\n', 'shop.yaml:3:1'],
  ['a key that stands twice', 'gateways:\n  demo: {}\n  demo: {}\n', 'shop.yaml:3:3'],
  ['a section that there is not', 'gateway:\n  demo: {}\n', 'shop.yaml:1:1: there is no "gateway" here'],
  [
    'a setting that there is not',
    'gateways:\n  demo:\n    settings: { polcy: random }\n',
    'shop.yaml:3:17: there is no "gateways.demo.settings.polcy" here',
  ],
  [
    'a value that will not do',
    'gateways:\n  demo:\n    settings:\n      cpuPercent: 101\n',
    'shop.yaml:4:7: gateways.demo.settings.cpuPercent',
  ],
  ['a name that will not do', 'gateways:\n  "a b": {}\n', 'shop.yaml:2:3'],
  ['something that is missing', 'stores:\n  shop:\n    kind: files\n', 'shop.yaml:2:3: stores.shop.gateway'],
  ['a secret in clear', 'stores:\n  shop: { gateway: g, kind: postgres, secrets: { password: hunter2 } }\n', 'shop.yaml:2:50'],
  ['a list where a mapping belongs', 'gateways: [demo]\n', 'shop.yaml:1:1: gateways'],
  ['the same name in two documents', 'groups:\n  a: {}\n---\ngroups:\n  a: {}\n', 'shop.yaml:5:3: groups.a stands in this file twice'],
])('%s is said with line and column', (_what, text, says) => {
  expect(faultOf(text)).toContain(says)
})

test('a secret that stands in clear is not repeated in the fault', () => {
  expect(faultOf('stores:\n  shop: { gateway: g, kind: postgres, secrets: { password: hunter2 } }\n')).not.toContain('hunter2')
})

test('aliases that grow without end are refused', () => {
  const lines = [
    'a0: &a0 [x,x,x,x,x,x,x,x,x,x]',
    ...Array.from({ length: 9 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(10).fill(`*a${n}`).join(',')}]`),
  ]

  expect(faultOf(lines.join('\n'))).toMatch(/shop\.yaml:1:1: .*alias/)
})

test('a file of nothing asks for nothing', () => {
  expect(read('').file).toEqual({})
  expect(read('# nothing\n').file).toEqual({})
})
