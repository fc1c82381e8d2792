import { expect, test } from 'vitest'
import { titleOf } from './page-title.ts'

test.each([
  ['/', 'Postern'],
  ['/gateways', 'Gateways · Postern'],
  ['/gateways/demo/settings', 'settings · demo · Gateways · Postern'],
  ['/gateways/demo/nodes/berlin', 'berlin · demo · Gateways · Postern'],
  ['/people/b%C3%A9a', 'béa · People · Postern'],
  ['/people/100%', '100% · People · Postern'],
])('the page %s is "%s"', (path, title) => expect(titleOf(path)).toBe(title))
