import { NumberInput } from '@mantine/core'
import { unitSection } from '../parts/unit-section.tsx'
import type { Amount, CopyForm } from './copy-form.ts'
import { RANGES } from './copy-problems.ts'
import { type SectionProps, UNDER } from './section.tsx'

export interface AmountInputProps extends Pick<SectionProps, 'form' | 'set' | 'problems'> {
  readonly name: keyof typeof RANGES
  readonly label: string
  readonly description: string
  /** What holds when nothing is typed. */
  readonly otherwise: string
  readonly unit?: string
}

export function AmountInput({ form, set, problems, name, label, description, otherwise, unit }: AmountInputProps) {
  const { min, max, whole } = RANGES[name]
  return (
    <NumberInput
      size="sm"
      label={label}
      description={description}
      inputWrapperOrder={UNDER}
      placeholder={otherwise}
      min={min}
      max={max}
      clampBehavior="none"
      allowDecimal={!whole}
      allowNegative={false}
      thousandSeparator=","
      hideControls
      value={form[name]}
      onChange={(value) => set({ [name]: amountOf(value) } as Partial<CopyForm>)}
      error={problems.fields[name]}
      {...(unit !== undefined && unitSection(unit))}
    />
  )
}

/** An input gives text while a number is not whole yet ("1."), and beyond what numbers can hold. */
function amountOf(value: string | number): Amount {
  if (typeof value === 'number') return value
  return value.trim() === '' || Number.isNaN(Number(value)) ? '' : Number(value)
}
