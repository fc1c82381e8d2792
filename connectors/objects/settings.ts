/** Settings that every object store has. */
import { z } from 'zod'
import { count } from '../files/settings.ts'

export const objectSettings = {
  prefix: z
    .string()
    .max(1_000)
    .default('')
    .meta({ title: 'Prefix', description: 'Every path of the store is below it, such as lake/sales' }),
  scratchMb: count(1, 10_000_000).default(10_240).meta({
    title: 'The most scratch space, in MB',
    description: 'Of objects that are copied to a node to be read, all that are there at a time',
  }),
}

const ObjectSettings = z.object(objectSettings)
export type ObjectSettings = z.output<typeof ObjectSettings>
