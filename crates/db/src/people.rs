//! Who works here, and what each may do.

use std::collections::HashMap;

use access::{Grant, Reach, Role};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::statement::statement;
use crate::{Conn, DbError, Tx};

/// Somebody who was invited.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Person {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// In lower case.
    #[diesel(sql_type = Text)]
    pub email: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Timestamptz)]
    pub invited_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub disabled_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "id, email, name, invited_at, disabled_at";

/// As it is stored and looked for: without blanks around it, in lower case.
pub fn folded(email: &str) -> String {
    email.trim().to_lowercase()
}

pub async fn find(conn: &mut Conn, id: Uuid) -> Result<Option<Person>, DbError> {
    Ok(
        statement(format!("SELECT {COLUMNS} FROM person WHERE id = $1"))
            .bind::<SqlUuid, _>(id)
            .get_result(conn.connection())
            .await
            .optional()?,
    )
}

/// Unless their access was ended.
pub async fn find_active(conn: &mut Conn, id: Uuid) -> Result<Option<Person>, DbError> {
    Ok(find(conn, id)
        .await?
        .filter(|person| person.disabled_at.is_none()))
}

pub async fn find_by_email(conn: &mut Conn, email: &str) -> Result<Option<Person>, DbError> {
    Ok(
        statement(format!("SELECT {COLUMNS} FROM person WHERE email = $1"))
            .bind::<Text, _>(folded(email))
            .get_result(conn.connection())
            .await
            .optional()?,
    )
}

/// By the hash of their address, in hexadecimal.
pub async fn find_by_address_sha256(
    conn: &mut Conn,
    sha256: &str,
) -> Result<Option<Person>, DbError> {
    Ok(statement(format!(
        "SELECT {COLUMNS} FROM person WHERE encode(sha256(convert_to(email, 'UTF8')), 'hex') = $1"
    ))
    .bind::<Text, _>(sha256)
    .get_result(conn.connection())
    .await
    .optional()?)
}

/// The person of an address, who is made where there is none; an existing one keeps their name.
pub async fn put(tx: &mut Tx, email: &str, name: &str) -> Result<Person, DbError> {
    statement(
        "INSERT INTO person (id, email, name) VALUES ($1, $2, $3) ON CONFLICT (email) DO NOTHING",
    )
    .bind::<SqlUuid, _>(Uuid::now_v7())
    .bind::<Text, _>(folded(email))
    .bind::<Text, _>(name)
    .execute(tx.connection())
    .await?;
    find_by_email(tx, email)
        .await?
        .ok_or_else(|| DbError::stored("a person is gone"))
}

pub async fn set_disabled(tx: &mut Tx, id: Uuid, at: Option<DateTime<Utc>>) -> Result<(), DbError> {
    statement("UPDATE person SET disabled_at = $2 WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<Nullable<Timestamptz>, _>(at)
        .execute(tx.connection())
        .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct GrantRow {
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Nullable<Text>)]
    organisation: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    return_id: Option<String>,
}

/// A role as a row has it.
pub(crate) fn grant_of(
    role: &str,
    organisation: Option<String>,
    return_id: Option<String>,
) -> Result<Grant, DbError> {
    let role = Role::parse(role).ok_or_else(|| DbError::stored(format!("{role} is no role")))?;
    let reach = match (organisation, return_id) {
        (Some(code), None) => Reach::Organisation(code),
        (None, Some(id)) => Reach::Return(id),
        _ => Reach::Everything,
    };
    Ok(Grant { role, reach })
}

/// The roles that a person has now.
pub async fn grants(conn: &mut Conn, person_id: Uuid) -> Result<Vec<Grant>, DbError> {
    let rows: Vec<GrantRow> = statement(
        "SELECT role, organisation, return_id FROM membership WHERE person_id = $1 AND ended_at IS NULL ORDER BY id",
    )
    .bind::<SqlUuid, _>(person_id)
    .load(conn.connection())
    .await?;
    rows.into_iter()
        .map(|row| grant_of(&row.role, row.organisation, row.return_id))
        .collect()
}

/// The people who have a role now and may sign in, by name.
pub async fn holding(conn: &mut Conn, grant: &Grant) -> Result<Vec<Person>, DbError> {
    let (organisation, return_id) = columns_of(&grant.reach);
    Ok(statement(
        "SELECT p.id, p.email, p.name, p.invited_at, p.disabled_at
         FROM membership m JOIN person p ON p.id = m.person_id
         WHERE m.ended_at IS NULL AND p.disabled_at IS NULL AND m.role = $1
           AND m.organisation IS NOT DISTINCT FROM $2 AND m.return_id IS NOT DISTINCT FROM $3
         ORDER BY p.name, p.id",
    )
    .bind::<Text, _>(grant.role.as_str())
    .bind::<Nullable<Text>, _>(organisation)
    .bind::<Nullable<Text>, _>(return_id)
    .load(conn.connection())
    .await?)
}

/// Somebody's role for an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Colleague {
    pub name: String,
    pub email: String,
    pub role: Role,
}

#[derive(QueryableByName)]
struct ColleagueRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    email: String,
    #[diesel(sql_type = Text)]
    role: String,
}

/// Who works for an organisation, by name: a line for each role. Not who was disabled.
pub async fn of_organisation(conn: &mut Conn, code: &str) -> Result<Vec<Colleague>, DbError> {
    let rows: Vec<ColleagueRow> = statement(
        "SELECT p.name, p.email, m.role FROM membership m JOIN person p ON p.id = m.person_id
         WHERE m.organisation = $1 AND m.ended_at IS NULL AND p.disabled_at IS NULL
         ORDER BY p.name, p.email, m.role",
    )
    .bind::<Text, _>(code)
    .load(conn.connection())
    .await?;
    rows.into_iter()
        .map(|row| {
            let role = Role::parse(&row.role);
            Ok(Colleague {
                name: row.name,
                email: row.email,
                role: role.ok_or_else(|| DbError::stored(format!("{} is no role", row.role)))?,
            })
        })
        .collect()
}

/// Somebody of an organisation, with the roles that the asker sees of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub person: Person,
    pub grants: Vec<Grant>,
}

#[derive(QueryableByName)]
struct OwnedGrantRow {
    #[diesel(sql_type = SqlUuid)]
    person_id: Uuid,
    #[diesel(embed)]
    grant: GrantRow,
}

/// Who has a role for an organisation now or belongs to it, by name; also those whose access was ended.
pub async fn members(conn: &mut Conn, code: &str) -> Result<Vec<Member>, DbError> {
    let people: Vec<Person> = statement(format!(
        "SELECT {COLUMNS} FROM person p
         WHERE organisation = $1
            OR id IN (SELECT person_id FROM membership WHERE organisation = $1 AND ended_at IS NULL)
         ORDER BY name, id"
    ))
    .bind::<Text, _>(code)
    .load(conn.connection())
    .await?;
    let ids: Vec<Uuid> = people.iter().map(|person| person.id).collect();
    let rows: Vec<OwnedGrantRow> = statement(
        "SELECT person_id, role, organisation, return_id FROM membership
         WHERE person_id = ANY ($1) AND ended_at IS NULL ORDER BY id",
    )
    .bind::<Array<SqlUuid>, _>(&ids)
    .load(conn.connection())
    .await?;
    let mut members: Vec<Member> = people
        .into_iter()
        .map(|person| Member {
            person,
            grants: Vec::new(),
        })
        .collect();
    for OwnedGrantRow { person_id, grant } in rows {
        if let Some(member) = members
            .iter_mut()
            .find(|member| member.person.id == person_id)
        {
            let grant = grant_of(&grant.role, grant.organisation, grant.return_id)?;
            member.grants.push(grant);
        }
    }
    Ok(members)
}

/// The organisation that somebody belongs to whose roles don't say it.
pub async fn set_organisation(tx: &mut Tx, id: Uuid, code: &str) -> Result<(), DbError> {
    statement("UPDATE person SET organisation = $2 WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(code)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Gives a person a role; false where they have it.
pub async fn grant(tx: &mut Tx, person_id: Uuid, grant: &Grant) -> Result<bool, DbError> {
    let (organisation, return_id) = columns_of(&grant.reach);
    let n_added = statement(
        "INSERT INTO membership (person_id, role, organisation, return_id) VALUES ($1, $2, $3, $4)
         ON CONFLICT (person_id, role, coalesce(organisation, ''), coalesce(return_id, '')) WHERE ended_at IS NULL DO NOTHING",
    )
    .bind::<SqlUuid, _>(person_id)
    .bind::<Text, _>(grant.role.as_str())
    .bind::<Nullable<Text>, _>(organisation)
    .bind::<Nullable<Text>, _>(return_id)
    .execute(tx.connection())
    .await?;
    Ok(n_added == 1)
}

/// Takes a role from a person; false where they don't have it.
pub async fn end_grant(
    tx: &mut Tx,
    person_id: Uuid,
    grant: &Grant,
    at: DateTime<Utc>,
) -> Result<bool, DbError> {
    let (organisation, return_id) = columns_of(&grant.reach);
    let n_ended = statement(
        "UPDATE membership SET ended_at = greatest($5, began_at)
         WHERE person_id = $1 AND role = $2 AND organisation IS NOT DISTINCT FROM $3
           AND return_id IS NOT DISTINCT FROM $4 AND ended_at IS NULL",
    )
    .bind::<SqlUuid, _>(person_id)
    .bind::<Text, _>(grant.role.as_str())
    .bind::<Nullable<Text>, _>(organisation)
    .bind::<Nullable<Text>, _>(return_id)
    .bind::<Timestamptz, _>(at)
    .execute(tx.connection())
    .await?;
    Ok(n_ended == 1)
}

pub(crate) fn columns_of(reach: &Reach) -> (Option<&str>, Option<&str>) {
    match reach {
        Reach::Organisation(code) => (Some(code), None),
        Reach::Return(id) => (None, Some(id)),
        Reach::Everything => (None, None),
    }
}

#[derive(QueryableByName)]
struct NamedRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
}

/// The names of people and programs, as far as they are seen.
pub async fn names(conn: &mut Conn, ids: &[Uuid]) -> Result<HashMap<Uuid, String>, DbError> {
    let rows: Vec<NamedRow> = statement(
        "SELECT id, name FROM person WHERE id = ANY ($1) UNION ALL SELECT id, name FROM client WHERE id = ANY ($1)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn.connection())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}
