import { Anchor, Select } from '@mantine/core'
import type { StoreView } from '@postern/protocol/api/stores.ts'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { UNDER } from './section.tsx'

export interface StoreSelectProps {
  readonly label: string
  readonly stores: readonly StoreView[]
  readonly value: string
  readonly error?: string | undefined
  readonly clearable?: boolean
  readonly description?: ReactNode
  readonly onChange: (name: string) => void
}

/** Stores under their gateways. */
export function StoreSelect({ label, stores, value, error, clearable = false, description, onChange }: StoreSelectProps) {
  const groups = [...Map.groupBy(stores, ({ gateway }) => gateway)].map(([group, of]) => ({
    group,
    items: of.map(({ name, kind }) => ({ value: name, label: `${name} (${kind})` })),
  }))
  return (
    <Select
      size="sm"
      label={label}
      searchable
      // By a click or a key: what is wrong with it would be under its list.
      openOnFocus={false}
      withAsterisk={!clearable}
      clearable={clearable}
      data={groups}
      value={value === '' ? null : value}
      onChange={(name) => onChange(name ?? '')}
      error={error}
      inputWrapperOrder={UNDER}
      nothingFoundMessage="No store is called so"
      description={
        stores.length === 0 ? (
          <>
            There is none yet. <MakeStore>Make a store</MakeStore>
          </>
        ) : (
          description
        )
      }
    />
  )
}

export const MakeStore = ({ children }: { readonly children: string }) => (
  <Anchor size="xs" renderRoot={(props) => <Link to="/stores/-/new" {...props} />}>
    {children}
  </Anchor>
)
