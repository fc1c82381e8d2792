import { Autocomplete, type AutocompleteProps } from '@mantine/core'
import { useEffect, useState } from 'react'

interface SettledFieldProps extends Omit<AutocompleteProps, 'value' | 'onChange' | 'onBlur' | 'onKeyDown' | 'onOptionSubmit' | 'data'> {
  readonly value: string
  readonly offered?: readonly string[]
  /** With Enter, a choice, on leaving the field, or when it is emptied: half a word is no filter. */
  readonly settle: (value: string) => void
}

export function SettledField({ value, offered = [], settle, ...props }: SettledFieldProps) {
  const [typed, setTyped] = useState(value)
  useEffect(() => setTyped(value), [value])
  const done = (text: string) => {
    if (text.trim() !== value) settle(text.trim())
  }
  return (
    <Autocomplete
      {...props}
      data={[...offered]}
      limit={50}
      value={typed}
      onChange={(text) => {
        setTyped(text)
        if (text === '') done(text)
      }}
      onOptionSubmit={done}
      onBlur={() => done(typed)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') done(typed)
      }}
    />
  )
}
