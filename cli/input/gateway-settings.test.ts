import { expect, test } from 'vitest'
import { gatewaySettings } from './gateway-settings.ts'

const set = (name: string, value: string) => () => gatewaySettings(new Map([[name, value]]))

test('numbers are numbers, words are words, and default takes a setting back', () => {
  expect(gatewaySettings(new Map(Object.entries({ queryConcurrency: '8', jobConcurrency: 'auto', cpuPercent: 'default' })))).toEqual({
    queryConcurrency: 8,
    jobConcurrency: 'auto',
    cpuPercent: null,
  })
})

test('what is none of a setting’s values is told with what it takes', () => {
  expect(set('queryConcurrency', 'many')).toThrow('queryConcurrency=many: must be auto, or a whole number from 1 to 10000.')
  expect(set('queryConcurrency', '0')).toThrow('expected number to be >=1')
  expect(set('policy', 'best')).toThrow('"primary-first"|"random"|"least-loaded"|"round-robin"')
  expect(set('polcy', 'random')).toThrow('"polcy" is none of policy')
})
