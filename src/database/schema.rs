//! The tables, as `diesel print-schema` writes them from `migrations/`, and the views.

// diesel's macros write the modules and structs; `docs/` and the migrations say what they mean.

diesel::table! {
    /// A view: those of `all_users` that are not deleted, and whose organization is not.
    users (id) {
        id -> Uuid,
        username -> Text,
        email -> Nullable<Text>,
        site_admin -> Bool,
        organization_id -> Nullable<Uuid>,
        password_hash -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        confirmed -> Bool,
        unconfirmed_email -> Nullable<Text>,
        suspended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// With those that are deleted and that something still names.
    all_users (id) {
        id -> Uuid,
        username -> Text,
    }
}

diesel::table! {
    /// With those that are deleted and that a token still names.
    all_teams (id) {
        id -> Uuid,
        organization_id -> Uuid,
        name -> Text,
        owners -> Bool,
        visibility -> Text,
        allow_member_token_management -> Bool,
    }
}

diesel::table! {
    /// With those that are deleted and that a token still names.
    all_workspaces (id) {
        id -> Uuid,
        organization_id -> Uuid,
        name -> Text,
    }
}

diesel::table! {
    /// A view: those of `all_organizations` that are not deleted.
    organizations (id) {
        id -> Uuid,
        name -> Text,
        email -> Text,
        settings -> Jsonb,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        max_ttl_enabled -> Bool,
        allowed_token_roles -> Nullable<Array<Text>>,
        default_token_format -> Text,
        default_token_ttl -> Nullable<Text>,
        user_tokens_enabled -> Bool,
        plan -> Text,
    }
}

diesel::table! {
    sessions (id) {
        id -> Uuid,
        user_id -> Uuid,
        secret_hash -> Binary,
        created_at -> Timestamptz,
        confirmed_at -> Timestamptz,
        seen_at -> Timestamptz,
        idle_ms -> BigInt,
        ends_at -> Timestamptz,
        network -> Text,
        agent -> Text,
    }
}

diesel::table! {
    spent_forms (session_id, number) {
        session_id -> Uuid,
        number -> Text,
        token_id -> Nullable<Uuid>,
        spent_at -> Timestamptz,
    }
}

diesel::table! {
    sign_in_links (user_id) {
        user_id -> Uuid,
        secret_hash -> Binary,
        ends_at -> Timestamptz,
    }
}

diesel::table! {
    token_ttl_policies (organization_id, token_type) {
        organization_id -> Uuid,
        token_type -> Text,
        max_ttl_ms -> Nullable<BigInt>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        ended_before -> Nullable<Timestamptz>,
        ended_max_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    abilities (organization_id, name) {
        organization_id -> Uuid,
        name -> Text,
        description -> Nullable<Text>,
        endpoints -> Jsonb,
    }
}

diesel::table! {
    memberships (id) {
        id -> Uuid,
        organization_id -> Uuid,
        user_id -> Uuid,
        status -> Text,
        created_at -> Timestamptz,
        invited_by_name -> Bool,
    }
}

diesel::table! {
    /// A view: memberships beside what lists of them search, sort and show.
    listed_memberships (id) {
        id -> Uuid,
        organization_id -> Uuid,
        user_id -> Uuid,
        status -> Text,
        created_at -> Timestamptz,
        organization_name -> Text,
        username -> Text,
        email -> Nullable<Text>,
        service_account -> Bool,
        email_known -> Bool,
    }
}

diesel::table! {
    /// A view: those of `all_teams` that are not deleted.
    teams (id) {
        id -> Uuid,
        organization_id -> Uuid,
        name -> Text,
        description -> Nullable<Text>,
        owners -> Bool,
        visibility -> Text,
        sso_team_id -> Nullable<Text>,
        allow_member_token_management -> Bool,
        organization_access -> Array<Text>,
        abilities -> Array<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    team_members (team_id, user_id) {
        team_id -> Uuid,
        user_id -> Uuid,
        organization_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    /// A view: those of `all_projects` that are not deleted.
    projects (id) {
        id -> Uuid,
        organization_id -> Uuid,
        name -> Text,
        description -> Text,
        settings -> Jsonb,
        tag_bindings -> Jsonb,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    reserved_tag_keys (id) {
        id -> Uuid,
        organization_id -> Uuid,
        key -> Text,
        disable_overrides -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    team_projects (id) {
        id -> Uuid,
        organization_id -> Uuid,
        team_id -> Uuid,
        project_id -> Uuid,
        access -> Text,
        settings -> Text,
        teams -> Text,
        variable_sets -> Text,
        runs -> Text,
        variables -> Text,
        state_versions -> Text,
        sentinel_mocks -> Text,
        locking -> Bool,
        run_tasks -> Bool,
        policy_overrides -> Bool,
        creates -> Bool,
        moves -> Bool,
        deletes -> Bool,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    /// A view: those of `all_workspaces` that are not deleted.
    workspaces (id) {
        id -> Uuid,
        organization_id -> Uuid,
        project_id -> Uuid,
        name -> Text,
        description -> Nullable<Text>,
        settings -> Jsonb,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        /// The names of its tags, in order; they are given in `workspace_tags`.
        tags -> Array<Text>,
        tag_bindings -> Jsonb,
        abilities -> Array<Text>,
        allowed_token_roles -> Nullable<Array<Text>>,
        default_token_format -> Nullable<Text>,
        locked_at -> Nullable<Timestamptz>,
        locked_by_type -> Nullable<Text>,
        locked_by_id -> Nullable<Uuid>,
        lock_reason -> Nullable<Text>,
    }
}

diesel::table! {
    tags (id) {
        id -> Uuid,
        organization_id -> Uuid,
        name -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    workspace_tags (workspace_id, tag_id) {
        workspace_id -> Uuid,
        tag_id -> Uuid,
        organization_id -> Uuid,
    }
}

diesel::table! {
    remote_state_consumers (workspace_id, consumer_id) {
        workspace_id -> Uuid,
        consumer_id -> Uuid,
        organization_id -> Uuid,
    }
}

diesel::table! {
    team_workspaces (id) {
        id -> Uuid,
        organization_id -> Uuid,
        team_id -> Uuid,
        workspace_id -> Uuid,
        access -> Text,
        runs -> Text,
        variables -> Text,
        state_versions -> Text,
        sentinel_mocks -> Text,
        workspace_locking -> Bool,
        run_tasks -> Bool,
        policy_overrides -> Bool,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    tokens (id) {
        id -> Uuid,
        kind -> Text,
        organization_id -> Nullable<Uuid>,
        user_id -> Nullable<Uuid>,
        team_id -> Nullable<Uuid>,
        workspace_id -> Nullable<Uuid>,
        description -> Nullable<Text>,
        token_hash -> Bytea,
        token_prefix -> Text,
        format -> Text,
        role -> Text,
        abilities -> Nullable<Array<Text>>,
        self_rotation -> Bool,
        rotates_until -> Nullable<Timestamptz>,
        labels -> Jsonb,
        labels_in_jwt -> Bool,
        created_by_user_id -> Nullable<Uuid>,
        created_by_team_id -> Nullable<Uuid>,
        created_by_organization_id -> Nullable<Uuid>,
        created_by_workspace_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        expired_at -> Nullable<Timestamptz>,
        disabled_at -> Nullable<Timestamptz>,
        revoked -> Bool,
        revoked_at -> Nullable<Timestamptz>,
        revocation_reason -> Nullable<Text>,
        replaces -> Nullable<Uuid>,
        last_used_at -> Nullable<Timestamptz>,
        usage_count -> BigInt,
        signing_key -> Nullable<Text>,
    }
}

diesel::table! {
    deletions (owner_id) {
        owner_id -> Uuid,
        kind -> Text,
        deleted_at -> Timestamptz,
        event_id -> Uuid,
        due_at -> Timestamptz,
        looked -> Bool,
    }
}

diesel::table! {
    end_rewrites (organization_id) {
        organization_id -> Uuid,
        after_id -> Uuid,
        due_at -> Timestamptz,
        looked -> Bool,
    }
}

diesel::table! {
    signing_keys (kid) {
        kid -> Text,
        public_key -> Bytea,
        sealed_private_key -> Nullable<Bytea>,
        created_at -> Timestamptz,
        retired_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    kept_answers (name, token_id) {
        name -> Bytea,
        token_id -> Uuid,
        content -> Bytea,
        sealed_answer -> Bytea,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    token_usage_days (token_id, date) {
        token_id -> Uuid,
        date -> Date,
        count -> BigInt,
    }
}

diesel::table! {
    /// A view: tokens beside the names that lists search and sort by, and how they stand now.
    listed_tokens (id) {
        id -> Uuid,
        kind -> Text,
        organization_id -> Nullable<Uuid>,
        user_id -> Nullable<Uuid>,
        team_id -> Nullable<Uuid>,
        workspace_id -> Nullable<Uuid>,
        description -> Nullable<Text>,
        token_prefix -> Text,
        format -> Text,
        role -> Text,
        abilities -> Nullable<Array<Text>>,
        owner_abilities -> Nullable<Array<Text>>,
        effective_abilities -> Array<Text>,
        self_rotation -> Bool,
        rotates_until -> Nullable<Timestamptz>,
        labels -> Jsonb,
        labels_in_jwt -> Bool,
        created_by_user_id -> Nullable<Uuid>,
        created_by_team_id -> Nullable<Uuid>,
        created_by_organization_id -> Nullable<Uuid>,
        created_by_workspace_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        expired_at -> Nullable<Timestamptz>,
        disabled_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        revocation_reason -> Nullable<Text>,
        last_used_at -> Nullable<Timestamptz>,
        usage_count -> BigInt,
        replaces -> Nullable<Uuid>,
        replaced_by -> Nullable<Uuid>,
        ends_at -> Nullable<Timestamptz>,
        ends_in_seconds -> Nullable<BigInt>,
        sorted_end -> Nullable<Timestamptz>,
        status -> Text,
        team_name -> Nullable<Text>,
        team_owners -> Nullable<Bool>,
        team_allows_members -> Nullable<Bool>,
        organization_name -> Nullable<Text>,
        owner_name -> Nullable<Text>,
        created_by_name -> Nullable<Text>,
    }
}

diesel::table! {
    audit_events (id, occurred_at) {
        id -> Uuid,
        organization_id -> Nullable<Uuid>,
        user_id -> Nullable<Uuid>,
        occurred_at -> Timestamptz,
        actor_type -> Text,
        accessor_id -> Nullable<Text>,
        accessor_description -> Nullable<Text>,
        token_id -> Nullable<Uuid>,
        token_description -> Nullable<Text>,
        request_id -> Nullable<Text>,
        resource_type -> Text,
        resource_id -> Text,
        action -> Text,
        meta -> Jsonb,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    abilities,
    all_users,
    users,
    organizations,
    memberships,
    teams,
    team_members,
    tokens,
    listed_memberships,
    listed_tokens,
    token_ttl_policies,
    projects,
    reserved_tag_keys,
    team_projects,
    workspaces,
    tags,
    workspace_tags,
    remote_state_consumers,
    team_workspaces,
    signing_keys,
);

diesel::define_sql_function! {
    /// `lower(text)`: names are compared without regard to case.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

diesel::define_sql_function! {
    /// `least(…)`: the earlier of two times; of one, if the other is null.
    fn least(
        one: diesel::sql_types::Nullable<diesel::sql_types::Timestamptz>,
        other: diesel::sql_types::Nullable<diesel::sql_types::Timestamptz>,
    ) -> diesel::sql_types::Nullable<diesel::sql_types::Timestamptz>;
}

diesel::define_sql_function! {
    /// `statement_timestamp()`: the time when this statement came, not, as `now()`, when its transaction began.
    fn statement_timestamp() -> diesel::sql_types::Timestamptz;
}

diesel::define_sql_function! {
    /// What a user's tokens may reach in one organization or another, with Latchkey's own abilities if they are `listed`.
    fn abilities_of_user(
        owner: diesel::sql_types::Uuid,
        listed: diesel::sql_types::Bool,
    ) -> diesel::sql_types::Array<diesel::sql_types::Text>;
}

diesel::define_sql_function! {
    /// What an organization has registered, and what is always registered; null if it has registered none.
    fn registered_abilities(
        organization: diesel::sql_types::Uuid,
    ) -> diesel::sql_types::Nullable<diesel::sql_types::Array<diesel::sql_types::Text>>;
}

diesel::define_sql_function! {
    /// What a token may reach: its own abilities, of its owner's, of those that are registered.
    fn effective_abilities(
        own: diesel::sql_types::Nullable<diesel::sql_types::Array<diesel::sql_types::Text>>,
        owner: diesel::sql_types::Nullable<diesel::sql_types::Array<diesel::sql_types::Text>>,
        registered: diesel::sql_types::Nullable<diesel::sql_types::Array<diesel::sql_types::Text>>,
    ) -> diesel::sql_types::Array<diesel::sql_types::Text>;
}
