//! Values that a `jsonb` column keeps as they are on the wire.

/// Lets a type that serde reads and writes be the value of a `jsonb` column.
macro_rules! jsonb {
    ($name:ident) => {
        impl diesel::deserialize::FromSql<diesel::sql_types::Jsonb, diesel::pg::Pg> for $name {
            fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                use diesel::deserialize::FromSql;
                use diesel::{pg::Pg, sql_types::Jsonb};
                Ok(serde_json::from_value(FromSql::<Jsonb, Pg>::from_sql(value)?)?)
            }
        }

        impl diesel::serialize::ToSql<diesel::sql_types::Jsonb, diesel::pg::Pg> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                use diesel::serialize::ToSql;
                use diesel::{pg::Pg, sql_types::Jsonb};
                let value = serde_json::to_value(self)?;
                <serde_json::Value as ToSql<Jsonb, Pg>>::to_sql(&value, &mut out.reborrow())
            }
        }
    };
}

pub(crate) use jsonb;
