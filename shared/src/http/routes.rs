//! All routes as text: which methods a path supports, for requests that match no route.

use super::request::Request;

/// Every route, as `METHOD /path/{parameter}` lines; a test keeps it equal to the declarations.
const ROUTES: &str = include_str!("routes.txt");

/// The methods of a path; none if no route has it.
pub fn methods(path: &str) -> Vec<&'static str> {
    let path = if path.len() > 1 {
        path.trim_end_matches('/')
    } else {
        path
    };
    let matching = ROUTES
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, route)| matches(route, path));
    let mut methods: Vec<&str> = Vec::new();
    // A static segment takes precedence over a parameter, so only the most specific route counts.
    let mut fewest_parameters = usize::MAX;
    for (method, route) in matching {
        let parameters = route.matches('{').count();
        if parameters < fewest_parameters {
            fewest_parameters = parameters;
            methods.clear();
        }
        if parameters == fewest_parameters && !methods.contains(&method) {
            methods.push(method);
        }
    }
    methods
}

/// The methods of the path of a request that matched no route. The raw path may be preceded by the stage or the mapping
/// of a custom domain, so leading segments that begin no route are skipped.
pub fn methods_of_raw(path: &str) -> Vec<&'static str> {
    let begins_a_route = |segment: &str| {
        let mut routes = ROUTES.lines().filter_map(|line| line.split('/').nth(1));
        routes.any(|first| first == segment)
    };
    let mut path = path;
    loop {
        let rest = path.strip_prefix('/').unwrap_or(path);
        match rest.split_once('/') {
            Some((first, behind)) if !begins_a_route(first) => {
                let at = path.len() - behind.len() - 1;
                path = path.get(at..).unwrap_or_default();
            }
            _ => return methods(path),
        }
    }
}

/// The methods of the path of a request, if the request's own method is not among them: a route with a parameter
/// matched a path whose static sibling has other methods, as `GET /messages/{message_id}` matches `/messages/send`.
pub fn instead_of(request: &Request) -> Option<Vec<&'static str>> {
    let mut path = request.route_path().to_owned();
    for (name, value) in &request.path_parameters {
        path = path.replace(&format!("{{{name}}}"), value);
    }
    let methods = methods(&path);
    let is_another = !methods.is_empty() && !methods.contains(&request.method.as_str());
    is_another.then_some(methods)
}

fn matches(route: &str, path: &str) -> bool {
    let (mut route, mut path) = (route.split('/'), path.split('/'));
    loop {
        match (route.next(), path.next()) {
            (None, None) => return true,
            (Some(pattern), Some(segment)) if pattern == segment => {}
            (Some(pattern), Some(segment)) if pattern.starts_with('{') && !segment.is_empty() => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_answers_the_methods_of_its_routes() {
        let id = "11111111-1111-4111-8111-111111111111";
        assert_eq!(
            methods(&format!("/api/conversations/{id}/messages")),
            ["GET", "POST"]
        );
        assert_eq!(
            methods(&format!("/api/v1/conversations/{id}/messages/")),
            ["GET", "POST"]
        );
        assert_eq!(methods(&format!("/api/conversations/{id}/read")), ["PATCH"]);
        assert_eq!(methods("/api/conversations/health"), ["GET", "HEAD"]);
        assert_eq!(methods("/api/v2/messages/send"), ["POST"]);
        // Two routes fit, and both answer POST.
        assert_eq!(methods("/api/conversations/dm/messages"), ["GET", "POST"]);
        assert!(methods("/api/nothing").is_empty());
        assert!(methods("/").is_empty());
    }

    /// A named stage precedes the raw path, and so does the mapping of a custom domain.
    #[test]
    fn what_stands_in_front_of_a_path_is_left_out() {
        for front in ["", "/prod", "/v9", "/a/mapping/of/many"] {
            assert_eq!(
                methods_of_raw(&format!("{front}/api/v2/messages/send")),
                ["POST"],
                "{front}"
            );
            assert_eq!(
                methods_of_raw(&format!("{front}/health/")),
                ["GET", "HEAD"],
                "{front}"
            );
            assert!(
                methods_of_raw(&format!("{front}/api/nothing")).is_empty(),
                "{front}"
            );
        }
        for path in ["", "/", "//", "/x", "/x/", "/api", "/docs/a/b", "nothing"] {
            assert!(methods_of_raw(path).is_empty(), "{path}");
        }
    }
}
