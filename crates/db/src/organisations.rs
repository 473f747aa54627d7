//! Who may return.

use chrono::NaiveDate;
use diesel::sql_types::{Array, Date, Nullable, Text};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use spec::Organisation;

use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// Stores an organisation, or what has changed about it.
pub async fn put(tx: &mut Tx, organisation: &Organisation) -> Result<(), DbError> {
    statement(
        "INSERT INTO organisation (code, name, kind, sg_code, phs_code, valid_from, valid_to)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (code) DO UPDATE SET
            name = excluded.name, kind = excluded.kind, sg_code = excluded.sg_code, phs_code = excluded.phs_code,
            valid_from = excluded.valid_from, valid_to = excluded.valid_to",
    )
    .bind::<Text, _>(&organisation.code)
    .bind::<Text, _>(&organisation.name)
    .bind::<Text, _>(&organisation.kind)
    .bind::<Nullable<Text>, _>(&organisation.sg_code)
    .bind::<Nullable<Text>, _>(&organisation.phs_code)
    .bind::<Nullable<Date>, _>(organisation.valid_from)
    .bind::<Nullable<Date>, _>(organisation.valid_to)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// An organisation as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Named {
    #[diesel(sql_type = Text)]
    pub code: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
}

/// All organisations by name, or only one.
pub async fn list(conn: &mut Conn, only: Option<&str>) -> Result<Vec<Named>, DbError> {
    Ok(statement(
        "SELECT code, name, kind FROM organisation WHERE $1 IS NULL OR code = $1 ORDER BY name, code",
    )
    .bind::<Nullable<Text>, _>(only)
    .load(conn.connection())
    .await?)
}

/// The codes that an organisation goes by.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Codes {
    #[diesel(sql_type = Text)]
    pub code: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub sg_code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub phs_code: Option<String>,
}

/// Of every organisation that has a local code, by GSS code.
pub async fn codes(conn: &mut Conn) -> Result<Vec<Codes>, DbError> {
    Ok(statement(
        "SELECT code, name, sg_code, phs_code FROM organisation
         WHERE sg_code IS NOT NULL OR phs_code IS NOT NULL ORDER BY code COLLATE \"C\"",
    )
    .load(conn.connection())
    .await?)
}

#[derive(QueryableByName)]
struct OrganisationRow {
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    sg_code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    phs_code: Option<String>,
    #[diesel(sql_type = Nullable<Date>)]
    valid_from: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Date>)]
    valid_to: Option<NaiveDate>,
}

/// The organisation of a code, but for its older codes and other names, which are not stored.
pub async fn find(conn: &mut Conn, code: &str) -> Result<Option<Organisation>, DbError> {
    let row: Option<OrganisationRow> = statement(
        "SELECT code, name, kind, sg_code, phs_code, valid_from, valid_to
         FROM organisation WHERE code = $1",
    )
    .bind::<Text, _>(code)
    .get_result(conn.connection())
    .await
    .optional()?;
    Ok(row.map(|row| Organisation {
        code: row.code,
        name: row.name,
        kind: row.kind,
        sg_code: row.sg_code,
        phs_code: row.phs_code,
        superseded_codes: Vec::new(),
        aliases: Vec::new(),
        valid_from: row.valid_from,
        valid_to: row.valid_to,
    }))
}

/// Something that is known of an organisation, and where that is from.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Fact {
    #[diesel(sql_type = Text)]
    pub organisation: String,
    /// `code`, `name`, `sg_code`, `phs_code`, `superseded_code`, `alias`, `valid_from` or `valid_to`.
    #[diesel(sql_type = Text)]
    pub about: String,
    #[diesel(sql_type = Text)]
    pub value: String,
    /// In words.
    #[diesel(sql_type = Nullable<Text>)]
    pub source: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub url: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub confidence: Option<String>,
}

/// What is known of all organisations, or of one.
pub async fn facts(conn: &mut Conn, only: Option<&str>) -> Result<Vec<Fact>, DbError> {
    Ok(statement(
        "SELECT organisation, about, value, source, url, confidence FROM organisation_fact
         WHERE $1 IS NULL OR organisation = $1
         ORDER BY organisation, array_position(
            ARRAY['code', 'name', 'sg_code', 'phs_code', 'superseded_code', 'alias', 'valid_from', 'valid_to'], about), value",
    )
    .bind::<Nullable<Text>, _>(only)
    .load(conn.connection())
    .await?)
}

/// Stores what is known of all organisations, in the place of what was. Only the tables' owner may.
pub async fn put_facts(tx: &mut Tx, facts: &[Fact]) -> Result<(), DbError> {
    statement("DELETE FROM organisation_fact")
        .execute(tx.connection())
        .await?;
    let texts = |of: fn(&Fact) -> &String| -> Vec<&str> {
        facts.iter().map(|fact| of(fact).as_str()).collect()
    };
    let some = |of: fn(&Fact) -> &Option<String>| -> Vec<Option<&str>> {
        facts.iter().map(|fact| of(fact).as_deref()).collect()
    };
    statement(
        "INSERT INTO organisation_fact (organisation, about, value, source, url, confidence)
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6)",
    )
    .bind::<Array<Text>, _>(texts(|fact| &fact.organisation))
    .bind::<Array<Text>, _>(texts(|fact| &fact.about))
    .bind::<Array<Text>, _>(texts(|fact| &fact.value))
    .bind::<Array<Nullable<Text>>, _>(some(|fact| &fact.source))
    .bind::<Array<Nullable<Text>>, _>(some(|fact| &fact.url))
    .bind::<Array<Nullable<Text>>, _>(some(|fact| &fact.confidence))
    .execute(tx.connection())
    .await?;
    Ok(())
}
