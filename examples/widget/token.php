<?php // A site with a chat on it, in PHP: `php -S localhost:8000 token.php`. See README.md.
function token(string $user, string $name): string {
    $code = fn (string $part): string => rtrim(strtr(base64_encode($part), '+/', '-_'), '=');
    $claims = ['iss' => 'http://localhost:8000', 'sub' => $user, 'name' => $name, 'exp' => time() + 600];
    $signed = $code('{"alg":"HS256"}') . '.' . $code(json_encode($claims));
    $secret = getenv('CHAT_SECRET') ?: 'a secret of this demo, 32 bytes or more';
    return $signed . '.' . $code(hash_hmac('sha256', $signed, $secret, true));
}

if (PHP_SAPI === 'cli') {
    echo token('42', 'Aiko');
} elseif (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) === '/chat-token') {
    header('Content-Type: text/plain');
    header('Cache-Control: no-store');
    echo token('42', 'Aiko'); // a real site looks up its own session here
} else {
    readfile(__DIR__ . '/index.html');
}
