import { expect, test } from 'vitest'
import { peerIdentity } from './peer-identity.ts'

const gateway = `gw_${'a'.repeat(20)}`
const node = `nod_${'b'.repeat(20)}`

test('a peer is who the one URI of its leaf says', () => {
  expect(peerIdentity(`DNS:x.example, URI:postern://${gateway}/${node}`)).toEqual({ gateway, node })
})

test.each([
  ['no names', undefined],
  ['no URI', 'DNS:x.example'],
  ['two URIs', `URI:postern://${gateway}/${node}, URI:postern://${gateway}/${node}`],
  ['another scheme', `URI:https://${gateway}/${node}`],
  ['a path behind it', `URI:postern://${gateway}/${node}/more`],
  ['an id that is none', `URI:postern://${gateway}/nod_x`],
  ['a name in quotes', `URI:"postern://${gateway}/${node}"`],
])('a leaf with %s is nobody', (_what, names) => {
  expect(peerIdentity(names)).toBeUndefined()
})
