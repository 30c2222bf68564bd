//! Words of paths, host names and query parameters that tell what a URL is for.
//!
//! General words of the trade only: no names of products or sites, so that what is learnt holds on sites never seen.

/// What a word of a path or host name speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Word {
    Static = 1,
    Page = 2,
    Beacon = 3,
    Auth = 4,
    Action = 5,
    Resource = 6,
    Api = 7,
}

/// The kind of a word in lower case.
#[rustfmt::skip]
pub(super) fn path_word(word: &[u8]) -> Option<Word> {
    Some(match word {
        b"api" | b"apis" | b"apiv" | b"rest" | b"restapi" | b"rpc" | b"grpc" | b"graphql" | b"gql" | b"graph" | b"socket" | b"jsonrpc" | b"xmlrpc" | b"json" | b"soap"
        | b"odata" | b"webhook" | b"webhooks" | b"hook" | b"hooks" | b"endpoint" | b"endpoints" | b"ajax" | b"xhr" | b"svc" | b"service"
        | b"services" | b"wsdl" | b"openapi" | b"internal" | b"gateway" | b"bff" | b"data" => Word::Api,

        b"static" | b"statics" | b"assets" | b"asset" | b"images" | b"image" | b"img" | b"imgs" | b"css" | b"js" | b"javascript" | b"javascripts"
        | b"script" | b"scripts" | b"style" | b"styles" | b"stylesheet" | b"stylesheets" | b"font" | b"fonts" | b"media" | b"dist" | b"build"
        | b"bundle" | b"bundles" | b"chunk" | b"chunks" | b"vendor" | b"vendors" | b"lib" | b"libs" | b"icon" | b"icons" | b"favicon" | b"logo"
        | b"logos" | b"thumb" | b"thumbs" | b"thumbnail" | b"thumbnails" | b"sprite" | b"sprites" | b"uploads" | b"photo" | b"photos" | b"pic"
        | b"pics" | b"picture" | b"pictures" | b"banner" | b"banners" | b"flash" | b"cdn" | b"public" | b"theme" | b"themes" | b"skin" | b"skins"
        | b"plugins" | b"modules" | b"files" | b"download" | b"downloads" | b"webpack" | b"jquery" | b"bootstrap" | b"min" | b"bg" | b"background" | b"main" | b"runtime" | b"polyfills"
        | b"manifest" | b"gfx" | b"graphics" | b"ui" | b"locales" | b"avatars" | b"components" | b"elements" | b"widgets" | b"robots" | b"sitemap" => Word::Static,

        b"index" | b"home" | b"about" | b"contact" | b"blog" | b"blogs" | b"news" | b"article" | b"articles" | b"wiki" | b"category" | b"categories"
        | b"archive" | b"archives" | b"page" | b"pages" | b"help" | b"faq" | b"docs" | b"doc" | b"documentation" | b"welcome" | b"dashboard"
        | b"shop" | b"store" | b"story" | b"stories" | b"sport" | b"sports" | b"feed" | b"feeds" | b"rss" | b"wp" | b"includes" | b"admin"
        | b"component" | b"presentations" | b"presentation" | b"projects" | b"forum" | b"forums" | b"thread" | b"topic" | b"topics" | b"gallery"
        | b"terms" | b"privacy" | b"press" | b"careers" | b"manual" | b"tutorial" | b"tutorials" | b"software" | b"products" | b"views" | b"view"
        | b"edit" | b"new" | b"legal" | b"support" | b"cgi" | b"bin" | b"en" | b"de" | b"fr" => Word::Page,

        b"pixel" | b"pixels" | b"beacon" | b"beacons" | b"collect" | b"collector" | b"track" | b"tracking" | b"tracker" | b"analytics" | b"ads"
        | b"ad" | b"adserver" | b"adx" | b"impression" | b"impressions" | b"imp" | b"click" | b"clicks" | b"telemetry" | b"rum" | b"usersync"
        | b"cookiesync" | b"conversion" | b"viewability" | b"prebid" | b"bid" | b"bidder" | b"rtb" | b"measure" | b"csi" => Word::Beacon,

        b"login" | b"logout" | b"signin" | b"signout" | b"signup" | b"oauth" | b"token" | b"tokens" | b"auth" | b"authorize"
        | b"authorization" | b"authenticate" | b"authentication" | b"session" | b"sessions" | b"sso" | b"refresh" | b"userinfo" | b"register"
        | b"password" | b"credentials" | b"csrf" | b"saml" | b"identity" => Word::Auth,

        b"get" | b"list" | b"create" | b"update" | b"delete" | b"remove" | b"add" | b"set" | b"save" | b"fetch" | b"query" | b"search" | b"find"
        | b"validate" | b"verify" | b"check" | b"batch" | b"bulk" | b"sync" | b"export" | b"import" | b"count" | b"lookup" | b"submit" | b"invoke"
        | b"execute" | b"run" | b"start" | b"stop" | b"restart" | b"enable" | b"disable" | b"cancel" | b"activate" | b"subscribe" | b"me" | b"self"
        | b"current" | b"status" | b"health" | b"healthz" | b"ping" | b"version" | b"info" | b"suggest" | b"autocomplete" | b"poll" | b"send"
        | b"read" | b"load" | b"preview" | b"clone" | b"generate" => Word::Action,

        b"users" | b"user" | b"accounts" | b"account" | b"orders" | b"order" | b"items" | b"item" | b"project" | b"repos" | b"repositories"
        | b"issues" | b"messages" | b"message" | b"events" | b"event" | b"groups" | b"group" | b"teams" | b"team" | b"members" | b"roles"
        | b"permissions" | b"policies" | b"keys" | b"instances" | b"instance" | b"volumes" | b"networks" | b"domains" | b"domain" | b"records"
        | b"record" | b"zones" | b"zone" | b"servers" | b"clusters" | b"nodes" | b"namespaces" | b"pods" | b"jobs" | b"job" | b"tasks" | b"task"
        | b"workflows" | b"runs" | b"deployments" | b"models" | b"model" | b"completions" | b"embeddings" | b"chat" | b"customers"
        | b"customer" | b"payments" | b"invoices" | b"subscriptions" | b"charges" | b"transactions" | b"shipments" | b"addresses" | b"notifications"
        | b"comments" | b"statuses" | b"timelines" | b"settings" | b"config" | b"configuration" | b"configs" | b"preferences" | b"devices" | b"stats"
        | b"metrics" | b"usage" | b"billing" | b"organizations" | b"orgs" | b"org" | b"workspaces" | b"tenants" | b"databases" | b"tables"
        | b"collections" | b"documents" | b"rules" | b"schemas" | b"schema" | b"entries" | b"tags" | b"labels" | b"profile" | b"profiles"
        | b"contents" | b"kernels" | b"locations" | b"regions" | b"features" | b"variables" | b"secrets" | b"queue" | b"queues" | b"assistants"
        | b"favorites" | b"cart" | b"recommendations" | b"activity" | b"resources" | b"objects" | b"nodebalancers" | b"permission" => Word::Resource,
        _ => return None,
    })
}

/// The kind of a word of a host name in lower case.
#[rustfmt::skip]
pub(super) fn host_word(word: &[u8]) -> Option<Word> {
    Some(match word {
        b"api" | b"apis" | b"rest" | b"rpc" | b"graphql" | b"gateway" | b"gw" | b"service" | b"services" | b"oauth" | b"auth" | b"backend" => Word::Api,
        b"static" | b"statics" | b"cdn" | b"img" | b"imgs" | b"image" | b"images" | b"assets" | b"asset" | b"media" | b"font" | b"fonts" | b"photo"
        | b"photos" | b"pics" | b"css" | b"js" | b"upload" | b"uploads" | b"thumbs" | b"video" | b"videos" | b"cache" => Word::Static,
        b"ad" | b"ads" | b"adserver" | b"track" | b"tracking" | b"tracker" | b"pixel" | b"pixels" | b"analytics" | b"stats" | b"metrics" | b"beacon"
        | b"beacons" | b"sync" | b"log" | b"logs" | b"collect" | b"collector" | b"telemetry" | b"tag" | b"tags" | b"rum" | b"bid" | b"prebid" => Word::Beacon,
        _ => return None,
    })
}

/// What a query parameter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    Paging,
    Fresh,
    Callback,
    Tracking,
    Format,
    Key,
    Operation,
}

/// The use of a query parameter by its name in lower case.
#[rustfmt::skip]
pub(super) fn parameter(name: &[u8]) -> Option<Parameter> {
    Some(match name {
        b"page" | b"per_page" | b"perpage" | b"page_size" | b"pagesize" | b"pagetoken" | b"page_token" | b"limit" | b"offset" | b"cursor" | b"after"
        | b"before" | b"since" | b"until" | b"start" | b"count" | b"maxresults" | b"max_results" | b"sort" | b"sort_by" | b"sortby" | b"order"
        | b"order_by" | b"orderby" | b"direction" | b"filter" | b"filters" | b"fields" | b"include" | b"expand" | b"select" | b"where" | b"query"
        | b"$filter" | b"$top" | b"$select" | b"$skip" | b"search" | b"next" | b"first" | b"size" | b"skip" | b"top" | b"ids" => Parameter::Paging,
        b"v" | b"ver" | b"version" | b"_" | b"t" | b"ts" | b"cb" | b"rnd" | b"rand" | b"random" | b"nocache" | b"hash" | b"build" | b"rev" | b"ord"
        | b"timestamp" | b"cachebuster" | b"cache" | b"bust" | b"h" => Parameter::Fresh,
        b"callback" | b"jsonp" | b"jsoncallback" | b"jsonpcallback" => Parameter::Callback,
        b"gclid" | b"fbclid" | b"cid" | b"uid" | b"ref" | b"referrer" | b"referer" | b"campaign" | b"adid" | b"ad" | b"pid" | b"tid" | b"dl" | b"dr"
        | b"sr" | b"vp" | b"ul" | b"pageurl" | b"screen" | b"redir" | b"gdpr" | b"gdpr_consent" | b"us_privacy" => Parameter::Tracking,
        b"format" | b"alt" | b"output" | b"fmt" | b"responsetype" | b"f" => Parameter::Format,
        b"key" | b"api_key" | b"apikey" | b"api-key" | b"access_token" | b"accesskeyid" | b"token" | b"signature" | b"sig" | b"auth" | b"client_id"
        | b"client_secret" | b"x-amz-signature" | b"appid" | b"app_id" | b"auth_token" => Parameter::Key,
        b"action" | b"method" | b"cmd" | b"command" | b"op" | b"operation" | b"operationname" | b"func" | b"function" | b"request" => Parameter::Operation,
        _ if name.starts_with(b"utm_") => Parameter::Tracking,
        _ => return None,
    })
}
